"""What an `import` job takes (contract 15d)."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.parameters.base import JobParameters, Label, Text
from schemas.parameters.values import Address

MAX_ITEMS = 1000


class ImportItem(BaseModel):
    """One file to take in."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    filename: Text | None = None
    url: Address | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.filename is None) == (self.url is None):
            raise ValueError("exactly one of filename and url is required")
        return self


class ImportParameters(JobParameters):
    """The `import` job: files from several places become documents, in a folder where one is named."""

    SUPPORTED: ClassVar[dict[str, Any]] = {"items": ["filename", "url"], "max_items": MAX_ITEMS}

    items: Annotated[list[ImportItem], Field(min_length=1, max_length=MAX_ITEMS)]
    folder_id: Label | None = None
