"""What records of documents and folders mean for the tables: states and facts in, rows out. Pure.

As in `projection`, any split of a partition into polls gives the same rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from piperoll.domain import document as documents
from piperoll.domain import folder as folders
from piperoll.domain.document import Document
from piperoll.domain.folder import Folder
from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import DocumentAdded, DocumentRemoved
from services.projector.jobs.projection import Entry, Parked, text

Details = tuple[str | None, str | None]
"""What a details claim leads to: a name, and a document's source or a folder's description."""
GONE: Details = (None, None)
"""What it leads to when it was erased."""


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One row, its fields in the order of the statement's arrays."""

    document_id: str
    partition: int
    owner: str
    user_id: str | None
    name: str | None
    source: str | None
    media_type: str | None
    size: int | None
    revision: str | None
    removed: bool
    job_id: str | None
    created_at: datetime
    updated_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class FolderRow:
    """One row, its fields in the order of the statement's arrays."""

    folder_id: str
    partition: int
    owner: str
    user_id: str | None
    name: str | None
    description: str | None
    chunk_size: int | None
    removed: bool
    created_at: datetime
    updated_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Move:
    """What became of a document's place in a folder: whether it was taken out, and since when it is in (or is not)."""

    left: bool
    since: datetime | None


@dataclass(slots=True)
class Known:
    """What the tables hold about some keys, all in the form of `text`."""

    documents: dict[str, Document] = field(default_factory=dict)
    folders: dict[str, Folder] = field(default_factory=dict)
    details: dict[str, Details] = field(default_factory=dict)
    parked: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Changes(Parked):
    """What some records change. Of each document and folder it holds the last state only.

    `moves` are by folder and document; `removed` the keys of what was removed here.
    """

    documents: dict[str, Document] = field(default_factory=dict)
    folders: dict[str, Folder] = field(default_factory=dict)
    moves: dict[tuple[str, str], Move] = field(default_factory=dict)
    removed_documents: list[str] = field(default_factory=list)
    removed_folders: list[str] = field(default_factory=list)


def project(known: Known, entries: Iterable[Entry]) -> Changes:
    """What `entries`, in offset order, change in tables that hold `known`."""
    changes = Changes()
    for fact, _ in changes.sift(entries, known.parked):
        if isinstance(fact.data, DocumentAdded | DocumentRemoved):
            _fold_document(known.documents, changes, fact)
        else:
            _fold_folder(known.folders, changes, fact)
    return changes


def of_document(document: Document, partition: int, details: Details) -> DocumentRow:
    """The row of a folded document, of which `details` tell the name."""
    name, source = details
    content = document.content
    return DocumentRow(
        document_id=text(document.document_id),
        partition=partition,
        owner=text(document.owner),
        user_id=_optional(document.user_id),
        name=_optional(name),
        source=_optional(source),
        media_type=None if content is None else text(content.media_type),
        size=None if content is None else content.size,
        revision=_optional(document.revision),
        removed=document.removed,
        job_id=_optional(document.job_id),
        created_at=document.created_at,
        updated_at=document.updated_at,
        state=documents.CODEC.dump_json(document).decode(),
    )


def of_folder(folder: Folder, partition: int, details: Details) -> FolderRow:
    """The row of a folded folder, of which `details` tell the name."""
    name, description = details
    return FolderRow(
        folder_id=text(folder.folder_id),
        partition=partition,
        owner=text(folder.owner),
        user_id=_optional(folder.user_id),
        name=_optional(name),
        description=_optional(description),
        chunk_size=folder.chunk_size,
        removed=folder.removed,
        created_at=folder.created_at,
        updated_at=folder.updated_at,
        state=folders.CODEC.dump_json(folder).decode(),
    )


def of_documents(changes: Changes, known: Known, read: Mapping[str, Details], partition: int) -> list[DocumentRow]:
    """The rows of all changed documents; `read` are the details of the records that changed them, by uri."""
    return [
        of_document(one, partition, _details(one.details, known.details.get(key, GONE), read))
        for key, one in changes.documents.items()
    ]


def of_folders(changes: Changes, known: Known, read: Mapping[str, Details], partition: int) -> list[FolderRow]:
    """The rows of all changed folders, as `of_documents`."""
    return [
        of_folder(one, partition, _details(one.details, known.details.get(key, GONE), read))
        for key, one in changes.folders.items()
    ]


def _details(claim: Claim | None, known: Details, read: Mapping[str, Details]) -> Details:
    """What the details claim of a state leads to: just read, or as the row has it."""
    return GONE if claim is None else read.get(claim.uri, known)


def _fold_document(known: Mapping[str, Document], changes: Changes, fact: Fact) -> None:
    document_id = text(fact.subject)
    before = changes.documents.get(document_id) or known.get(document_id)
    after = documents.evolve(before, fact)
    if after is None or after is before:
        return
    changes.documents[document_id] = after
    if isinstance(fact.data, DocumentRemoved):
        changes.removed_documents.append(document_id)


def _fold_folder(known: Mapping[str, Folder], changes: Changes, fact: Fact) -> None:
    folder_id = text(fact.subject)
    before = changes.folders.get(folder_id) or known.get(folder_id)
    after = folders.evolve(before, fact)
    if after is None or after is before:
        return
    changes.folders[folder_id] = after
    for document_id, since in folders.moves(after, fact):
        place = (folder_id, text(document_id))
        changes.moves[place] = _moved(changes.moves.get(place), since)
    if after.removed and (before is None or not before.removed):
        changes.removed_folders.append(folder_id)


def _moved(before: Move | None, since: datetime | None) -> Move:
    if since is None:
        return Move(left=True, since=None)
    if before is None:
        return Move(left=False, since=since)
    return Move(left=before.left, since=before.since or since)


def _optional(value: str | None) -> str | None:
    return None if value is None else text(value)
