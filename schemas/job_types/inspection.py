"""The `inspection` job type: the pages of a file with and without text, for an estimate.

The API must not parse files, so an estimate asks a worker. Its file is `file`, not `filename`: a `filename` makes a job
a user of an upload, which would be erased with the job, and an inspection is erased as soon as it has ended.
"""

from typing import Any, ClassVar, Final, Self

from pydantic import Field, model_validator

from schemas.fields import FileName, Label
from schemas.job_types.declaration import JobType, Named, Reference
from schemas.job_types.parameters import JobParameters, require_one
from schemas.job_types.values import PageNumber

SOURCES: Final = ("file", "document_id")
WITH_TEXT: Final = "pages_with_text"
"""The name of the number of pages with text in `JobCompleted.counts`, for all selected pages."""
LOOKED_AT: Final = "pages_looked_at"
"""The same of the pages whose text was looked for."""


class InspectionParameters(JobParameters):
    """The `inspection` job: how many pages a file has, and how many of them have text."""

    SUPPORTED: ClassVar[dict[str, Any]] = {"sources": list(SOURCES)}

    file: FileName | None = Field(default=None, description="as `filename` of other jobs")
    document_id: Label | None = None
    page_start: PageNumber | None = None
    page_end: PageNumber | None = None
    is_pdf: bool = Field(default=False, description="whether another kind of file is an error")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        require_one(self, SOURCES)
        return self


INSPECTION: Final = JobType(
    name="inspection",
    parameters=InspectionParameters,
    processor="services.worker.processors.inspection:process",
    steps={"counting_pages": "Counting the pages"},
    names=Named.DOCUMENT,
    references={"file": Reference.FILE},
    internal=True,
)
