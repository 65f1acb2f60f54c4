"""The `pdf` job type (docs/contract/secretary.md#pdf-parameters)."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.devana import Devana, describe_file
from schemas.fields import Address, FileName
from schemas.job_types.archives import Archive, Entry, assets_of, base_name, files_of, json_entry
from schemas.job_types.declaration import JobType, Makes, plain_completion
from schemas.job_types.page_work import PageWork
from schemas.job_types.parameters import JobParameters
from schemas.job_types.values import (
    OUTPUT_DESCRIPTION,
    OUTPUT_FILES,
    Context,
    FileHash,
    Language,
    OutputForm,
    PageNumber,
    TemplateName,
)
from schemas.pages import IMAGE_OUTPUT, WORDS_OUTPUT, PagePicture, pages_of_texts

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
"""Documented aliases of methods (docs/contract/secretary.md#pdf-parameters)."""
LOCAL_METHODS: Final = frozenset({"native", "tesseract_ocr", "both", "preview", "preview_and_native"})
"""The methods that call no provider."""
WITH_PAGES: Final = "mistral_ocr_with_pages"
DEFAULT_METHOD: Final = "native"
PREVIEW_OUTPUT: Final = PagePicture("previews/preview_{:03d}.jpg", side=360)
BEGUN, READ, DRAWN = 30, 60, 80
"""The percent at which the first page is read, at which all were read, and at which all were drawn."""
EXTRACTED: Final = "Extraktion abgeschlossen"  # the seed's own wording

Body = Mapping[str, Any]


def _known(method: str) -> str:
    if method not in METHODS and method not in ALIASES:
        raise ValueError(f"is none of {', '.join((*METHODS, *ALIASES))}")
    return method


Method = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": [*METHODS, *ALIASES]})]


class PdfParameters(JobParameters):
    """The `pdf` job: the text and the page images of one document (docs/contract/secretary.md#pdf-parameters)."""

    SUPPORTED: ClassVar[dict[str, Any]] = {
        "extraction_method": [*METHODS, *ALIASES],
        "source": ["filename", "url"],
        "ocr_engine": ["rapidocr", "tesseract"],
        "output": [*OUTPUT_FILES],
    }

    filename: FileName | None = None
    url: Address | None = None
    extraction_method: Method = DEFAULT_METHOD
    page_start: PageNumber | None = None
    page_end: PageNumber | None = None
    include_images: bool = False
    include_ocr_images: bool = Field(default=True, description="without effect: OCR images are always separate")
    include_preview_pages: bool = Field(default=True, description="in pages.zip of mistral_ocr_with_pages")
    include_high_res_pages: bool = Field(default=False, description="in pages.zip of mistral_ocr_with_pages")
    ocr_engine: Literal["rapidocr", "tesseract"] = Field(
        default="rapidocr", description="of local OCR; tesseract must be installed on the worker"
    )
    output: OutputForm | None = Field(default=None, description=OUTPUT_DESCRIPTION)
    searchable_pdf: bool = Field(
        default=False, description="also makes searchable.pdf, with the text of OCR unseen in it"
    )
    template: TemplateName | None = Field(
        default=None, description="filled from the text; not by mistral_ocr_with_pages"
    )
    context: Context | None = Field(default=None, description="variables of the template")
    target_language: Language | None = Field(default=None, description="of the template's fields")
    file_hash: FileHash | None = Field(
        default=None, description="MD5 or SHA-256 of the file in hexadecimal; the job fails if the file has another"
    )
    use_cache: bool = True
    force_refresh: bool = False

    @property
    def method(self) -> str:
        """The method's name, with aliases resolved."""
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


def _reaches_network(parameters: Any) -> bool:
    """Whether a url is fetched, or Mistral or a vision or chat model is called."""
    return parameters.url is not None or parameters.template is not None or parameters.method not in LOCAL_METHODS


def _page_work(parameters: Body) -> PageWork:
    asked = parameters.get("extraction_method", DEFAULT_METHOD)
    method = ALIASES.get(asked, asked)
    draws = bool(parameters.get("include_images")) or "preview" in method or method == WITH_PAGES
    return PageWork(
        with_text=method,
        without_text=method,
        draws=draws,
        first=parameters.get("page_start"),
        last=parameters.get("page_end"),
        is_pdf=True,
        ends_at=DRAWN if draws else READ,
    )


def _describe(parameters: Body, resolved: Body) -> dict[str, Any]:
    method = parameters.get("extraction_method", DEFAULT_METHOD)
    file = describe_file(parameters, resolved)
    return {**file, "mimeType": "application/pdf", "extractionMethod": ALIASES.get(method, method)}


def _completion(job_id: str, result: Body) -> tuple[str, dict[str, Any]]:
    message, data = plain_completion(job_id, result)
    files = files_of(result)
    if "mistral_ocr_raw" in files:
        return EXTRACTED, _mistral_data(job_id, data, files)
    return message, data | _images_link(job_id, data)


def _mistral_data(job_id: str, data: Body, files: Body) -> dict[str, Any]:
    """The seed's keys in the seed's order, then the other keys."""
    base = f"/api/pdf/jobs/{job_id}"
    metadata = data.get("metadata") or {}
    shown: dict[str, Any] = {
        "extracted_text": data.get("extracted_text"),
        "metadata": {"text_contents": metadata.get("text_contents", [])},
        "mistral_ocr_raw_url": f"{base}/mistral-ocr-raw",
        "mistral_ocr_raw_metadata": data.get("mistral_ocr_raw_metadata"),
    }
    if "pages_archive" in files:
        shown["pages_archive_url"] = f"{base}/download-pages-archive"
    if "mistral_ocr_images" in files:
        shown["mistral_ocr_images_url"] = f"{base}/mistral-ocr-images"
    transformed = {name: data[name] for name in ("transformed_text", "template_fields", "document") if name in data}
    return shown | _images_link(job_id, data) | transformed


def _images_link(job_id: str, data: Body) -> dict[str, str]:
    """The link to the archive of page images, if the job makes some; none for the method with its own archive."""
    metadata = data.get("metadata") or {}
    if not metadata.get("image_paths") or metadata.get("extraction_method") == WITH_PAGES:
        return {}
    return {"images_archive_url": f"/api/jobs/{job_id}/download-archive"}


def _archive(job_id: str, result: Body) -> Archive | None:
    """Images, text and results; None for a job without images. Archives and PDFs among the assets are left out."""
    documents = {name for name, _ in OUTPUT_FILES.values()}
    images = [
        name for name in assets_of(result) if not base_name(name).endswith((".zip", ".pdf")) and name not in documents
    ]
    if not images:
        return None
    bases = Counter(map(base_name, images))
    entries = [Entry(f"images/{base_name(name) if bases[base_name(name)] == 1 else name}", name) for name in images]
    text = str(result["structured_data"].get("extracted_text") or "")
    texts = [Entry("extracted_text.md", content=text.encode()), json_entry("result.json", result)]
    return Archive(f"{job_id}-images.zip", (*entries, *texts))


PDF: Final = JobType(
    name="pdf",
    parameters=PdfParameters,
    processor="services.worker.processors.pdf.processor:process",
    reaches_network=_reaches_network,
    steps={
        "extracting_text": "Extracting text from PDF...",  # the seed's own wording
        "processing_images": "Drawing pages",
        "applying_template": "Applying the template",
    },
    makes=Makes.TEXT,
    page_work=_page_work,
    work_percent=(BEGUN, DRAWN),
    pages=pages_of_texts,
    pictures=(IMAGE_OUTPUT, PREVIEW_OUTPUT),
    words=WORDS_OUTPUT,
    devana=Devana(
        "EXTRACTION", _describe, {"fileSize": "bytes_in", "pageCount": "pages", "extractionMethod": "method"}
    ),
    completion=_completion,
    archive=_archive,
    downloads=frozenset({"mistral_ocr_raw", "mistral_ocr_raw_with_images", "mistral_ocr_images", "pages_archive"}),
)
