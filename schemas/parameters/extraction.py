"""What an `extraction` job takes (contract 15d)."""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from schemas.media import MEDIA_TYPES
from schemas.parameters.base import JobParameters, Label, Text
from schemas.parameters.values import Address

SOURCES = ("filename", "url", "document_id")


def require_one(parameters: JobParameters, names: tuple[str, ...]) -> None:
    """Raises ValueError unless exactly one of `names` is given."""
    if sum(getattr(parameters, name) is not None for name in names) != 1:
        raise ValueError(f"exactly one of {', '.join(names[:-1])} and {names[-1]} is required")


class ExtractionParameters(JobParameters):
    """The `extraction` job: the text of a file of any kind that is known."""

    SUPPORTED: ClassVar[dict[str, Any]] = {"sources": list(SOURCES), "endings": sorted(MEDIA_TYPES)}

    filename: Text | None = Field(default=None, description="a file the worker can read, or `upload://{file_id}`")
    url: Address | None = None
    document_id: Label | None = None
    ocr_engine: Literal["rapidocr", "tesseract"] = Field(
        default="rapidocr", description="of images and scanned pages; tesseract must be installed on the worker"
    )
    use_cache: bool = True
    force_refresh: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        require_one(self, SOURCES)
        return self
