"""The `extraction` job type (docs/contract/devana.md#job-types)."""

from typing import Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from schemas.devana import Devana, describe_file
from schemas.fields import Address, FileName, Label
from schemas.job_types.declaration import JobType, Makes, Named, fetches_url
from schemas.job_types.parameters import SOURCES, JobParameters, require_one
from schemas.media import MEDIA_TYPES
from schemas.pages import pages_of_texts


class ExtractionParameters(JobParameters):
    """The `extraction` job: the text of a file of any supported type."""

    SUPPORTED: ClassVar[dict[str, Any]] = {"sources": list(SOURCES), "endings": sorted(MEDIA_TYPES)}

    filename: FileName | None = Field(default=None, description="a file the worker can read, or `upload://{file_id}`")
    url: Address | None = None
    document_id: Label | None = None
    ocr_engine: Literal["rapidocr", "tesseract"] = Field(
        default="rapidocr", description="of images and scanned pages; tesseract must be installed on the worker"
    )
    searchable_pdf: bool = Field(
        default=False,
        description="of PDFs and images: also makes searchable.pdf, with the text of OCR unseen in it",
    )
    use_cache: bool = True
    force_refresh: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        require_one(self, SOURCES)
        return self


EXTRACTION: Final = JobType(
    name="extraction",
    parameters=ExtractionParameters,
    processor="services.worker.processors.extraction.processor:process",
    reaches_network=fetches_url,
    steps={"reading_document": "Reading the text of the document"},
    names=Named.DOCUMENT,
    reads=("",),
    makes=Makes.TEXT,
    pages=pages_of_texts,
    devana=Devana(
        "EXTRACTION", describe_file, {"fileSize": "bytes_in", "pageCount": "pages", "extractionMethod": "method"}
    ),
)
