"""What a job's archive holds (contract 11), by its type and its results. Pure: names and texts, no blob.

The archives of pages and of OCR images are downloads of their own and never stand in here.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pydantic_core import to_json

from services.api.jobs.views import file_name


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """A file of an archive: an output of the job's by its name, or a text of the results."""

    name: str
    output: str | None = None
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class JobArchive:
    """An archive's file name and its files in their order; or, with `ready`, the output that is the archive."""

    filename: str
    entries: tuple[ArchiveEntry, ...] = ()
    ready: str | None = None


def archive_of(job_id: str, job_type: str, result: dict[str, Any]) -> JobArchive | None:
    """The archive of a completed job; None when it made nothing to archive."""
    match job_type:
        case "pdf":
            return _pdf_archive(job_id, result)
        case "transformer":
            return _transformer_archive(job_id, result)
        case "session":
            return _session_archive(result)
        case _:
            return None


def _pdf_archive(job_id: str, result: dict[str, Any]) -> JobArchive | None:
    """Images, text and results; a job that made no images has no archive."""
    images = [name for name in _assets(result) if PurePosixPath(name).suffix != ".zip"]
    if not images:
        return None
    bases = Counter(PurePosixPath(name).name for name in images)
    entries = [
        ArchiveEntry(f"images/{PurePosixPath(name).name if bases[PurePosixPath(name).name] == 1 else name}", name)
        for name in images
    ]
    text = str(result["structured_data"].get("extracted_text") or "")
    texts = [ArchiveEntry("extracted_text.md", content=text.encode()), _json("result.json", result)]
    return JobArchive(f"{job_id}-images.zip", (*entries, *texts))


def _transformer_archive(job_id: str, result: dict[str, Any]) -> JobArchive | None:
    data = {**result["structured_data"], **result}
    text = data.get("transformed_text")
    if text is None:
        return None
    entries = (
        ArchiveEntry("transformed.md", content=str(text).encode()),
        _json("template_fields.json", data.get("template_fields") or {}),
    )
    return JobArchive(f"{job_id}.zip", entries)


def _session_archive(result: dict[str, Any]) -> JobArchive | None:
    """The one that the run made, if it was to make one."""
    ready = files_of(result).get("archive")
    return None if ready is None else JobArchive(PurePosixPath(ready).name, ready=ready)


def files_of(result: dict[str, Any]) -> dict[str, str]:
    """The named outputs of a run, such as `pages_archive`: names within its folder, by what they are."""
    files = result.get("files")
    return {kind: str(name) for kind, name in files.items()} if isinstance(files, dict) else {}


def _assets(result: dict[str, Any]) -> list[str]:
    names = (file_name(str(asset), result) for asset in result.get("assets", ()))
    return [name for name in names if name is not None]


def _json(name: str, value: Any) -> ArchiveEntry:
    return ArchiveEntry(name, content=to_json(value, indent=2))
