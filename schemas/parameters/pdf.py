"""What a `pdf` job takes (contract 4a)."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from schemas.parameters.base import JobParameters, Text

PageNumber = Annotated[int, Field(ge=1, le=1_000_000)]


class PdfParameters(JobParameters):
    """The `pdf` job (contract 4a): extract the text, page by page."""

    SUPPORTED: ClassVar[dict[str, Any]] = {"extraction_method": ["native"], "source": ["filename"]}

    filename: Text
    extraction_method: Literal["native"] = "native"
    page_start: PageNumber | None = None
    page_end: PageNumber | None = None
    include_images: bool = False
    use_cache: bool = True
    force_refresh: bool = False

    @model_validator(mode="before")
    @classmethod
    def _one_source(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        given = [name for name in ("filename", "url") if raw.get(name) is not None]
        if len(given) != 1:
            raise ValueError("exactly one of filename and url is required")
        if given == ["url"]:
            raise ValueError("url is not supported yet: upload the file to /api/files and pass its filename")
        return {name: value for name, value in raw.items() if name != "url"}

    @model_validator(mode="after")
    def _ordered_range(self) -> Self:
        if self.page_start is not None and self.page_end is not None and self.page_start > self.page_end:
            raise ValueError("page_start must not be greater than page_end")
        return self
