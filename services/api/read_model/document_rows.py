"""What the read model answers about documents and folders, as frozen data. No SQL, no view."""

from dataclasses import dataclass
from datetime import datetime

from asyncpg import Record

from piperoll.domain.job import Status
from schemas.claims import Claim


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document as it was projected. `content` is None once it was removed.

    `job_id` and `status` are those of its newest intake job; None where there is none, or none was projected yet.
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
    """A folder as it was projected, with how many words the texts of its documents have."""

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
    """A document as its folder lists it."""

    document_id: str
    name: str | None
    media_type: str | None
    size: int | None


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document as lists show it."""

    file: FileRow
    created_at: datetime
    status: Status | None


@dataclass(frozen=True, slots=True)
class TextRow:
    """A document of a folder: the result that holds its text, and how its newest job stands."""

    document_id: str
    name: str | None
    result: Claim | None
    status: Status | None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A document of a folder that a job found somewhere, and the jobs that made its texts."""

    document_id: str
    source: str
    revision: str
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexRow:
    """The index that a folder's search reads."""

    job_id: str
    model: str
    dimensions: int
    chunks: int


@dataclass(frozen=True, slots=True)
class HitRow:
    """A chunk that a search found; the score is the cosine of the angle between it and the query, at most 1."""

    document_id: str
    number: int
    text: str
    score: float


def document_row(row: Record) -> DocumentRow:
    """From a record of the statement `document`."""
    return DocumentRow(
        document_id=row["document_id"],
        owner=row["owner"],
        name=row["name"],
        media_type=row["media_type"],
        size=row["size"],
        removed=row["removed"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        content=claim_of(row["content"]),
        job_id=row["job_id"],
        status=_status(row["status"]),
    )


def listed_document(row: Record) -> ListedDocument:
    """From a record of the statement `list_documents`."""
    file = FileRow(row["document_id"], row["name"], row["media_type"], row["size"])
    return ListedDocument(file, row["created_at"], _status(row["status"]))


def text_row(row: Record) -> TextRow:
    """From a record of the statement `folder_texts`."""
    return TextRow(row["document_id"], row["name"], claim_of(row["result"]), _status(row["status"]))


def claim_of(text: str | None) -> Claim | None:
    """A claim within a state, which a JSON null stands for the lack of."""
    return None if text is None or text == "null" else Claim.model_validate_json(text)


def _status(text: str | None) -> Status | None:
    return None if text is None else Status(text)
