"""Documents and folders as clients see them (docs/contract/devana.md#documents, #folders). Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from piperoll.domain.job import Status
from schemas.devana import STATUSES
from services.api.http.answers import devana_timestamp
from services.api.jobs.views import JobContents, job_error
from services.api.read_model.document_rows import DocumentRow, FolderRow, HitRow, ListedDocument
from services.api.read_model.job_rows import JobRow

Json = dict[str, Any]

PLAIN: Final = "text/plain"
SCORE_DIGITS: Final = 6
ELSEWHERE: Final = frozenset({"text_contents", "warnings", "words", "title", "fileName", "fileSize", "mimeType"})
"""Fields of an extraction's metadata that the view has in another place."""


def document_status(status: Status | None) -> str:
    """Return one of four words: a cancelled extraction is an ERROR, a document without a job is PENDING."""
    if status is None:
        return STATUSES[Status.PENDING.value]
    return STATUSES["failed" if status is Status.CANCELLED else status.value]


def document_view(row: DocumentRow, job: JobRow | None, contents: JobContents) -> Json:
    """Return a document with the job that reads it, and once it was read with its text and pages; a plain text also
    under the seed's names for it. Unknown fields are left out; summary and keywords always are."""
    status = job.status if job else None
    result = contents.result if status is Status.COMPLETED else None
    data = _object(result, "structured_data")
    extracted = _object(data, "metadata")
    text = data.get("extracted_text") if result is not None else None
    words = len(text.split()) if isinstance(text, str) else None
    error = job_error(job, contents.error) if job else None
    view: Json = {
        "documentId": row.document_id,
        "status": document_status(status),
        "title": data.get("title") or row.name,
        "content": text,
        "pages": list(_pages(extracted)) or None,
        "metadata": _metadata(row, extracted, data),
        "totalWords": words,
        "error": error["message"] if error else None,
        "jobId": job.job_id if job else None,
        "createdAt": devana_timestamp(row.created_at),
        "updatedAt": devana_timestamp(row.updated_at),
    }
    if row.media_type == PLAIN:
        view |= {"text": text, "words": words}
    return {name: value for name, value in view.items() if value is not None}


def folder_view(row: FolderRow) -> Json:
    """Return a folder of docs/contract/devana.md#folders."""
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


def listed_view(row: ListedDocument) -> Json:
    """Return a document as lists show it."""
    file = row.file
    view = {
        "id": file.document_id,
        "name": file.name,
        "size": file.size,
        "mimetype": file.media_type,
        "status": document_status(row.status),
        "createdAt": devana_timestamp(row.created_at),
    }
    return {name: value for name, value in view.items() if value is not None}


def hit_view(hit: HitRow) -> Json:
    """Return a chunk that a search found; `chunk` counts the document's chunks from 0."""
    score = round(hit.score, SCORE_DIGITS)
    found = {"documentId": hit.document_id, "chunk": hit.number, "text": hit.text, "score": score}
    read = {"name": hit.name, "jobId": hit.job_id}
    return found | {name: value for name, value in read.items() if value is not None}


def _metadata(row: DocumentRow, extracted: Mapping[str, Any], data: Mapping[str, Any]) -> Json:
    """Return size and kind under the seed's names, and the other extracted metadata."""
    plain = {
        name: value
        for name, value in extracted.items()
        if name not in ELSEWHERE and isinstance(value, str | int | float)
    }
    own = {"fileName": row.name, "mimetype": row.media_type, "size": row.size, "language": data.get("language")}
    return {name: value for name, value in {**plain, **own}.items() if value is not None}


def _pages(extracted: Mapping[str, Any]) -> Iterator[Json]:
    """Yield the pages; the texts that several methods read from one page are joined."""
    texts: dict[int, list[str]] = {}
    contents = extracted.get("text_contents")
    for one in contents if isinstance(contents, list) else ():
        texts.setdefault(one["page"], []).append(one.get("content") or "")
    for number, parts in sorted(texts.items()):
        yield {"pageNumber": number, "text": "\n\n".join(parts)}


def _object(content: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    value = (content or {}).get(name)
    return value if isinstance(value, Mapping) else {}
