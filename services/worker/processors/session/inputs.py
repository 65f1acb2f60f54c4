"""Downloads of a session: its page, its video, its attachment.

A failed download of the page ends the run; of the video or the attachment it adds a note
(docs/contract/secretary.md#session-run).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from schemas.errors import ErrorCode
from schemas.job_types.session import SessionParameters
from services.worker.errors import ProcessingError
from services.worker.fetch.download import Download, fetch
from services.worker.fetch.web_text import page_text
from services.worker.run.workspace import ReportProgress, Workspace
from services.worker.speech.speech_to_text import can_transcribe

PAGE_TIMEOUT_S = 30.0
PAGE_BYTES = 10_000_000
PAGE_TYPES = ("text/html", "application/xhtml+xml", "text/plain", "")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The downloads, `size` bytes in total. `failures` are sentences about failed downloads."""

    web_text: str
    video: Path | None
    attachment: Download | None
    size: int
    failures: tuple[str, ...]

    def fingerprints(self) -> dict[str, Any]:
        """Return the hashes of the contents, for the cache key (docs/contract/secretary.md#cache)."""
        return {
            "page_sha256": hashlib.sha256(self.web_text.encode("utf-8", "replace")).hexdigest(),
            "video_sha256": _digest(self.video),
            "attachment_sha256": _digest(self.attachment.path if self.attachment else None),
        }


def gather(params: SessionParameters, workspace: Workspace, report: ReportProgress) -> Inputs:
    """Download all inputs. Raises ProcessingError: URL_FETCH_ERROR, URL_TRANSFORMATION_ERROR."""
    report("fetching_page", 10)
    page = _page(params.url, workspace)
    web_text = _words(page)
    wants_video = params.video_transcript is None and can_transcribe(params.source_language, workspace.providers)
    video_url = params.video_url if wants_video else None
    if video_url or params.attachments_url:
        report("downloading_media", 30)
    failures: list[str] = []
    media = replace(workspace, limits=workspace.limits.for_media())
    beat = partial(report, "downloading_media", 30)
    video = _medium("video", video_url, media, beat, failures)
    attachment = _medium("attachment", params.attachments_url, workspace, beat, failures)
    size = sum(fetched.size for fetched in (page, video, attachment) if fetched)
    return Inputs(web_text, video.path if video else None, attachment, size, tuple(failures))


def _page(url: str, workspace: Workspace) -> Download:
    timeout_s = min(PAGE_TIMEOUT_S, workspace.limits.fetch_timeout_s)
    limited = replace(workspace, limits=replace(workspace.limits, fetch_timeout_s=timeout_s))
    try:
        return fetch(url, limited, min(PAGE_BYTES, workspace.limits.max_bytes))
    except ProcessingError as error:
        raise ProcessingError(
            ErrorCode.URL_FETCH_ERROR,
            f"The session's page cannot be fetched: {error.message}",
            retryable=error.retryable,
            retry_after_s=error.retry_after_s,
            error_type=error.code,
        ) from error


def _words(page: Download) -> str:
    if page.media_type not in PAGE_TYPES:
        raise ProcessingError(
            ErrorCode.URL_TRANSFORMATION_ERROR, f"The session's page is {page.media_type[:100]}, not a web page."
        )
    text = page_text(page.path.read_bytes(), page.charset)
    if not text:
        raise ProcessingError(ErrorCode.URL_TRANSFORMATION_ERROR, "The session's page contains no text.")
    return text


def _medium(
    what: str, url: str | None, workspace: Workspace, beat: Callable[[], None], failures: list[str]
) -> Download | None:
    if url is None:
        return None
    try:
        return fetch(url, workspace, beat=beat)
    except ProcessingError as error:
        failures.append(f"The {what} cannot be fetched: {error.message}")
        return None


def _digest(path: Path | None) -> str | None:
    if path is None:
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
