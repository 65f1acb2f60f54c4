"""Documents and folders as clients of the Devana API see them (contract 15b). Pure: rows and documents in."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from piperoll.domain.job import Status
from schemas.devana import STATUSES
from services.api.http.answers import devana_timestamp
from services.api.jobs.views import JobContents, job_error
from services.api.read_model.document_rows import DocumentRow, FileRow, FolderRow, HitRow, ListedDocument
from services.api.read_model.job_rows import JobRow

Json = dict[str, Any]

PLAIN: Final = "text/plain"
SCORE_DIGITS: Final = 6
NAMED_BY_US: Final = frozenset({"text_contents", "warnings", "words", "title", "fileName", "fileSize", "mimeType"})
"""Fields of an extraction's metadata that the payload has elsewhere."""


def document_status(status: Status | None) -> str:
    """One of four words: a cancelled reading is an ERROR, one without a job yet is PENDING."""
    if status is None:
        return STATUSES[Status.PENDING.value]
    return STATUSES["failed" if status is Status.CANCELLED else status.value]


def document_view(row: DocumentRow, job: JobRow | None, found: JobContents) -> Json:
    """The payload of a document: its text and pages once it was read; a plain text also as its clients know it.

    What is not known is left out: there is never a summary, and never keywords.
    """
    status = job.status if job else None
    result = found.result if status is Status.COMPLETED else None
    data = _object(result, "structured_data")
    extracted = _object(data, "metadata")
    text = data.get("extracted_text") if result is not None else None
    words = len(text.split()) if isinstance(text, str) else None
    error = job_error(job, found.error) if job else None
    view: Json = {
        "documentId": row.document_id,
        "status": document_status(status),
        "title": data.get("title") or row.name,
        "content": text,
        "pages": list(_pages(extracted)) or None,
        "metadata": _metadata(row, extracted, data),
        "totalWords": words,
        "error": error["message"] if error else None,
        "createdAt": devana_timestamp(row.created_at),
        "updatedAt": devana_timestamp(row.updated_at),
    }
    if row.media_type == PLAIN:
        view |= {"text": text, "words": words}
    return {name: value for name, value in view.items() if value is not None}


def folder_view(row: FolderRow) -> Json:
    """A folder of contract 15b."""
    view = {
        "id": row.folder_id,
        "name": row.name,
        "description": row.description,
        "chunkSize": row.chunk_size,
        "words": row.words,
        "createdAt": devana_timestamp(row.created_at),
        "updatedAt": devana_timestamp(row.updated_at),
    }
    return {name: value for name, value in view.items() if value is not None}


def file_view(row: FileRow) -> Json:
    """A document as its folder lists it."""
    view = {"id": row.document_id, "name": row.name, "size": row.size, "mimetype": row.media_type}
    return {name: value for name, value in view.items() if value is not None}


def listed_view(row: ListedDocument) -> Json:
    """A document as lists show it."""
    state = {"status": document_status(row.status), "createdAt": devana_timestamp(row.created_at)}
    return {**file_view(row.file), **state}


def hit_view(hit: HitRow) -> Json:
    """A chunk that a search found; `chunk` counts the document's chunks from 0."""
    return {
        "documentId": hit.document_id,
        "chunk": hit.number,
        "text": hit.text,
        "score": round(hit.score, SCORE_DIGITS),
    }


def _metadata(row: DocumentRow, extracted: Mapping[str, Any], data: Mapping[str, Any]) -> Json:
    """Size and kind under the names of the seed's jobs and of plain texts, and the rest of what was extracted."""
    known = {name: value for name, value in extracted.items() if name not in NAMED_BY_US and _is_plain(value)}
    own = {"fileName": row.name, "mimetype": row.media_type, "size": row.size, "language": data.get("language")}
    return {name: value for name, value in {**known, **own}.items() if value is not None}


def _pages(extracted: Mapping[str, Any]) -> Iterator[Json]:
    """A page each; what several methods read of one page is one text."""
    texts: dict[int, list[str]] = {}
    contents = extracted.get("text_contents")
    for one in contents if isinstance(contents, list) else ():
        texts.setdefault(one["page"], []).append(one.get("content") or "")
    for number, parts in sorted(texts.items()):
        yield {"pageNumber": number, "text": "\n\n".join(parts)}


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _object(document: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    found = (document or {}).get(name)
    return found if isinstance(found, Mapping) else {}
