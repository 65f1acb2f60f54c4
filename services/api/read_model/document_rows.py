"""The rows of documents and folders in the read model, as frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asyncpg import Record
from pydantic import TypeAdapter

from piperoll.domain.job import Status
from schemas.claims import Claim

CLAIMS: TypeAdapter[dict[str, Claim]] = TypeAdapter(dict[str, Claim])


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A projected document. `content` is None once it was removed.

    `job_id` and `status` are those of its newest intake job; None before one was projected.
    """

    document_id: str
    owner: str
    name: str | None
    media_type: str | None
    size: int | None
    removed: bool
    created_at: datetime
    updated_at: datetime
    content: Claim | None
    job_id: str | None
    status: Status | None


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A projected folder, with the number of words in the texts of its documents."""

    folder_id: str
    owner: str
    name: str | None
    description: str | None
    chunk_size: int | None
    removed: bool
    created_at: datetime
    updated_at: datetime
    words: int


@dataclass(frozen=True, slots=True)
class FileRow:
    """What lists show of a document's file."""

    document_id: str
    name: str | None
    media_type: str | None
    size: int | None


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document in a list of documents, or of those of a folder."""

    file: FileRow
    created_at: datetime
    status: Status | None


@dataclass(frozen=True, slots=True)
class TextRow:
    """A document of a folder: the result that holds its text, and the status of its newest job."""

    document_id: str
    name: str | None
    result: Claim | None
    status: Status | None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A document of a folder that a job found, and the jobs that made its texts.

    `parameters` are the claims of those jobs whose parameters are in segments, by job id.
    """

    document_id: str
    source: str
    revision: str
    jobs: tuple[str, ...]
    parameters: Mapping[str, Claim] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IndexRow:
    """The index that a folder's search reads."""

    job_id: str
    model: str
    dimensions: int
    chunks: int


@dataclass(frozen=True, slots=True)
class HitRow:
    """A chunk that a search found; the score is the cosine of the angle between it and the query, at most 1.

    `job_id` is the newest completed job that read the document; None if it was erased.
    """

    document_id: str
    number: int
    text: str
    score: float
    name: str | None
    job_id: str | None


def document_row(row: Record) -> DocumentRow:
    """Build the row from a record of the statement `document`."""
    decoded: dict[str, Any] = {"content": claim_of(row["content"]), "status": _status(row["status"])}
    return DocumentRow(**{**row, **decoded})


def listed_document(row: Record) -> ListedDocument:
    """Build the row from a record of the statements `list_documents` and `files`."""
    file = FileRow(row["document_id"], row["name"], row["media_type"], row["size"])
    return ListedDocument(file, row["created_at"], _status(row["status"]))


def text_row(row: Record) -> TextRow:
    """Build the row from a record of the statement `folder_texts`."""
    return TextRow(row["document_id"], row["name"], claim_of(row["result"]), _status(row["status"]))


def source_row(row: Record) -> SourceRow:
    """Build the row from a record of the statement `folder_sources`."""
    parameters = {} if row["parameters"] is None else CLAIMS.validate_json(row["parameters"])
    return SourceRow(row["document_id"], row["source"], row["revision"], tuple(row["jobs"]), parameters)


def claim_of(text: str | None) -> Claim | None:
    """Parse a claim in a state; None for SQL's or JSON's null."""
    return None if text is None or text == "null" else Claim.model_validate_json(text)


def _status(text: str | None) -> Status | None:
    return None if text is None else Status(text)
