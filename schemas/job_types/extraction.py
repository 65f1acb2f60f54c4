"""The `extraction` job type (docs/contract/devana.md#job-types)."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from schemas.devana import Devana, describe_file
from schemas.fields import Address, FileName, Label
from schemas.job_types.declaration import JobType, Makes, Named, fetches_url
from schemas.job_types.page_work import PageWork
from schemas.job_types.parameters import SOURCES, JobParameters, require_one
from schemas.job_types.values import OUTPUT_DESCRIPTION, OUTPUT_FILES, OutputForm
from schemas.media import MEDIA_TYPES
from schemas.pages import IMAGE_OUTPUT, WORDS_OUTPUT, pages_of_texts

DEFAULT_ENGINE: Final = "rapidocr"


class ExtractionParameters(JobParameters):
    """The `extraction` job: the text of a file of any supported type."""

    SUPPORTED: ClassVar[dict[str, Any]] = {
        "sources": list(SOURCES),
        "endings": sorted(MEDIA_TYPES),
        "output": [*OUTPUT_FILES],
    }

    filename: FileName | None = Field(default=None, description="a file the worker can read, or `upload://{file_id}`")
    url: Address | None = None
    document_id: Label | None = None
    ocr_engine: Literal["rapidocr", "tesseract"] = Field(
        default=DEFAULT_ENGINE, description="of images and scanned pages; tesseract must be installed on the worker"
    )
    include_images: bool = Field(default=False, description="also draw each page of a PDF")
    output: OutputForm | None = Field(default=None, description=OUTPUT_DESCRIPTION)
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


def _page_work(parameters: Mapping[str, Any]) -> PageWork:
    return PageWork(with_text="native", without_text=parameters.get("ocr_engine", DEFAULT_ENGINE))


EXTRACTION: Final = JobType(
    name="extraction",
    parameters=ExtractionParameters,
    processor="services.worker.processors.extraction.processor:process",
    reaches_network=fetches_url,
    steps={"reading_document": "Reading the text of the document", "processing_images": "Drawing pages"},
    names=Named.DOCUMENT,
    reads=("",),
    makes=Makes.TEXT,
    page_work=_page_work,
    work_percent=(30, 90),
    pages=pages_of_texts,
    pictures=(IMAGE_OUTPUT,),
    words=WORDS_OUTPUT,
    devana=Devana(
        "EXTRACTION", describe_file, {"fileSize": "bytes_in", "pageCount": "pages", "extractionMethod": "method"}
    ),
)
