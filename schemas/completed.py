"""What is said of a completed job of each type, by hooks and streams alike (contract 7 and 8). Pure.

Links are relative, and a key without a value is left out, never null.
"""

from collections.abc import Mapping
from typing import Any, Final

from schemas.steps import step_message

Document = Mapping[str, Any]

WITH_PAGES: Final = "mistral_ocr_with_pages"
EXTRACTED: Final = "Extraktion abgeschlossen"  # the seed's own wording, like the two below contract 7's
TRANSFORMED: Final = "Template-Transformation abgeschlossen"
SESSION_DONE: Final = "Session processing completed"
SESSION_KEYS: Final = ("markdown_file", "markdown_content", "attachments", "video_transcript", "target_dir")


def told(job_type: str, job_id: str, result: Document) -> tuple[str, dict[str, Any]]:
    """The message and the data, from the job's result document (contract 6)."""
    data = dict(result.get("structured_data") or {})
    match job_type:
        case "pdf" if "mistral_ocr_raw" in _files(result):
            return EXTRACTED, _mistral_pdf(job_id, data, _files(result))
        case "pdf":
            return step_message("completed"), data | _images_link(job_id, data)
        case "transformer" | "transformer_template":
            return TRANSFORMED, data
        case "session":
            return SESSION_DONE, {name: result[name] for name in SESSION_KEYS if name in result}
        case _:
            return step_message("completed"), data


def _mistral_pdf(job_id: str, data: Document, files: Document) -> dict[str, Any]:
    """The seed's keys in the seed's order, then what else there is."""
    base = f"/api/pdf/jobs/{job_id}"
    metadata = data.get("metadata") or {}
    said: dict[str, Any] = {
        "extracted_text": data.get("extracted_text"),
        "metadata": {"text_contents": metadata.get("text_contents", [])},
        "mistral_ocr_raw_url": f"{base}/mistral-ocr-raw",
        "mistral_ocr_raw_metadata": data.get("mistral_ocr_raw_metadata"),
    }
    if "pages_archive" in files:
        said["pages_archive_url"] = f"{base}/download-pages-archive"
    if "mistral_ocr_images" in files:
        said["mistral_ocr_images_url"] = f"{base}/mistral-ocr-images"
    transformed = {name: data[name] for name in ("transformed_text", "template_fields") if name in data}
    return said | _images_link(job_id, data) | transformed


def _images_link(job_id: str, data: Document) -> dict[str, str]:
    """The archive of page images, for a job that was to make some; not for the method with an archive of its own."""
    metadata = data.get("metadata") or {}
    if not metadata.get("image_paths") or metadata.get("extraction_method") == WITH_PAGES:
        return {}
    return {"images_archive_url": f"/api/jobs/{job_id}/download-archive"}


def _files(result: Document) -> Document:
    files = result.get("files")
    return files if isinstance(files, Mapping) else {}
