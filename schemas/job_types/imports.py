"""The `import` job type (docs/contract/devana.md#job-types)."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.devana import Devana
from schemas.fields import Address, FileName, Label
from schemas.job_types.declaration import JobType, Named
from schemas.job_types.parameters import JobParameters

MAX_ITEMS = 1000


class ImportItem(BaseModel):
    """One file to take in."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    filename: FileName | None = None
    url: Address | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.filename is None) == (self.url is None):
            raise ValueError("exactly one of filename and url is required")
        return self


class ImportParameters(JobParameters):
    """The `import` job: files from several places become documents, in a folder if one is named."""

    SUPPORTED: ClassVar[dict[str, Any]] = {"items": ["filename", "url"], "max_items": MAX_ITEMS}

    items: Annotated[list[ImportItem], Field(min_length=1, max_length=MAX_ITEMS)]
    folder_id: Label | None = None


def _describe(parameters: Mapping[str, Any], resolved: Mapping[str, Any]) -> dict[str, Any]:
    items = parameters.get("items")
    return {"folderName": resolved.get("name"), "filesTotal": len(items) if isinstance(items, list) else None}


IMPORT: Final = JobType(
    name="import",
    parameters=ImportParameters,
    processor="services.worker.processors.imports:process",
    reaches_network=lambda parameters: any(item.url is not None for item in parameters.items),
    steps={"copying_files": "Taking in files"},
    names=Named.FOLDER,
    devana=Devana("IMPORT", _describe, {"pageCount": "pages"}),
)
