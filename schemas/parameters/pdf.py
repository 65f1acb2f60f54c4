"""What a `pdf` job takes (contract 4a)."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.parameters.base import JobParameters, Text
from schemas.parameters.values import Address, Context, FileHash, Language, TemplateName

METHODS: Final = (
    "native",
    "tesseract_ocr",
    "both",
    "preview",
    "preview_and_native",
    "preview_and_mistral_ocr",
    "llm",
    "llm_and_native",
    "llm_and_ocr",
    "mistral_ocr",
    "mistral_ocr_with_pages",
)
ALIASES: Final[Mapping[str, str]] = {"ocr": "tesseract_ocr", "combined": "both", "openai_vision": "llm"}
"""Documented names of methods and what they are called (contract 4a)."""


def _known(method: str) -> str:
    if method not in METHODS and method not in ALIASES:
        raise ValueError(f"is none of {', '.join((*METHODS, *ALIASES))}")
    return method


PageNumber = Annotated[int, Field(ge=1, le=1_000_000)]
Method = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": [*METHODS, *ALIASES]})]


class PdfParameters(JobParameters):
    """The `pdf` job (contract 4a): extract the text and draw the pages of one document."""

    SUPPORTED: ClassVar[dict[str, Any]] = {
        "extraction_method": [*METHODS, *ALIASES],
        "source": ["filename", "url"],
        "ocr_engine": ["rapidocr", "tesseract"],
    }

    filename: Text | None = None
    url: Address | None = None
    extraction_method: Method = "native"
    page_start: PageNumber | None = None
    page_end: PageNumber | None = None
    include_images: bool = False
    include_ocr_images: bool = Field(default=True, description="without effect: OCR images are always kept apart")
    include_preview_pages: bool = Field(default=True, description="in pages.zip of mistral_ocr_with_pages")
    include_high_res_pages: bool = Field(default=False, description="in pages.zip of mistral_ocr_with_pages")
    ocr_engine: Literal["rapidocr", "tesseract"] = Field(
        default="rapidocr", description="of local OCR; tesseract must be installed on the worker"
    )
    template: TemplateName | None = Field(
        default=None, description="filled from the text; not by mistral_ocr_with_pages"
    )
    context: Context | None = Field(default=None, description="variables of the template")
    target_language: Language | None = Field(default=None, description="of the template's fields")
    file_hash: FileHash | None = Field(
        default=None, description="MD5 or SHA-256 of the file in hexadecimal; a job fails whose file has another"
    )
    use_cache: bool = True
    force_refresh: bool = False

    @property
    def method(self) -> str:
        """The method by its own name, whatever alias was asked for."""
        return ALIASES.get(self.extraction_method, self.extraction_method)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.filename is None) == (self.url is None):
            raise ValueError("exactly one of filename and url is required")
        return self

    @model_validator(mode="after")
    def _ordered_range(self) -> Self:
        if self.page_start is not None and self.page_end is not None and self.page_start > self.page_end:
            raise ValueError("page_start must not be greater than page_end")
        return self
