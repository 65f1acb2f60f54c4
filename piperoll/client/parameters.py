"""The parameters of jobs by name, for type checkers and editors. The API decides which of them a job type takes."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

ExtractionMethod = Literal[
    "native",
    "tesseract_ocr",
    "ocr",
    "both",
    "combined",
    "preview",
    "preview_and_native",
    "preview_and_mistral_ocr",
    "llm",
    "openai_vision",
    "llm_and_native",
    "llm_and_ocr",
    "mistral_ocr",
    "mistral_ocr_with_pages",
]


class WebhookOptions(TypedDict):
    """A job's webhook; `jobId` is the caller's own id of the job."""

    url: str
    token: NotRequired[str]
    jobId: NotRequired[str]


class JobOptions(TypedDict, total=False):
    """Parameters of all job types; see docs/api.md#job-types."""

    # of every job
    webhook: WebhookOptions
    target_id: str
    priority: int
    timeout_s: int
    max_attempts: int
    use_cache: bool
    force_refresh: bool
    # what is read
    filename: str
    url: str
    document_id: str
    text: str
    file_hash: str
    # pdf and extraction
    extraction_method: ExtractionMethod
    ocr_engine: Literal["rapidocr", "tesseract"]
    output: Literal["text", "markdown", "html", "json"]
    searchable_pdf: bool
    page_start: int
    page_end: int
    include_images: bool
    include_ocr_images: bool
    include_preview_pages: bool
    include_high_res_pages: bool
    # templates and models
    template: str
    template_content: str
    context: Mapping[str, Any]
    additional_field_descriptions: Mapping[str, str]
    container_selector: str
    prompt: str
    provider: Literal["mistral", "local"]
    model: str
    source_language: str
    target_language: str
    # folders
    folder_id: str
    chunk_size: int
    items: Sequence[Mapping[str, str]]
    source: str
    delete_removed: bool
    confirm_removals: bool
    # session
    event: str
    session: str
    track: str
    target: str
    day: str
    starttime: str
    endtime: str
    speakers: Sequence[str]
    speakers_url: Sequence[str]
    speakers_image_url: Sequence[str]
    video_url: str
    video_transcript: str
    attachments_url: str
    create_archive: bool
