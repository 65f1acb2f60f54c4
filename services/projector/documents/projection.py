"""The rows of documents and folders, from states and facts. Pure.

As in `services.projector.jobs.projection`, any split of a partition into polls gives the same rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from piperoll.domain import document as documents
from piperoll.domain import folder as folders
from piperoll.domain.document import Document
from piperoll.domain.folder import Folder
from piperoll.domain.pending_changes import PendingChanges
from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import DocumentAdded, DocumentRemoved
from services.projector.database.values import optional_text, text

Details = tuple[str | None, str | None]
"""The content of a details claim: a name, and a document's source or a folder's description."""
GONE: Details = (None, None)
"""The details of an erased claim."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
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
class StoredFolder:
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
    """A document's moves in a folder: whether it was removed, and since when it is in (None: it is not)."""

    left: bool
    since: datetime | None


@dataclass(slots=True)
class KnownDocuments:
    """The stored states of some keys, all in the form of `text`."""

    documents: dict[str, Document] = field(default_factory=dict)
    folders: dict[str, Folder] = field(default_factory=dict)
    details: dict[str, Details] = field(default_factory=dict)


class DocumentChanges:
    """The changes by some facts, the last state only of each document and folder.

    `moves` are by folder and document; `removed_…` are the keys of removed ones.
    """

    def __init__(self, known: KnownDocuments) -> None:
        self.documents = PendingChanges(documents.evolve, known.documents)
        self.folders = PendingChanges(folders.evolve, known.folders)
        self.moves: dict[tuple[str, str], Move] = {}
        self.removed_documents: list[str] = []
        self.removed_folders: list[str] = []


def project(known: KnownDocuments, facts: Iterable[tuple[Fact, int]]) -> DocumentChanges:
    """The changes by `facts`, in offset order, of tables that contain `known`."""
    changes = DocumentChanges(known)
    for fact, _ in facts:
        if isinstance(fact.data, DocumentAdded | DocumentRemoved):
            _fold_document(changes, fact)
        else:
            _fold_folder(changes, fact)
    return changes


def of_document(document: Document, partition: int, details: Details) -> StoredDocument:
    """The row of a folded document, with the name in `details`."""
    name, source = details
    content = document.content
    return StoredDocument(
        document_id=text(document.document_id),
        partition=partition,
        owner=text(document.owner),
        user_id=optional_text(document.user_id),
        name=optional_text(name),
        source=optional_text(source),
        media_type=None if content is None else text(content.media_type),
        size=None if content is None else content.size,
        revision=optional_text(document.revision),
        removed=document.removed,
        job_id=optional_text(document.job_id),
        created_at=document.created_at,
        updated_at=document.updated_at,
        state=documents.CODEC.dump_json(document).decode(),
    )


def of_folder(folder: Folder, partition: int, details: Details) -> StoredFolder:
    """The row of a folded folder, with the name in `details`."""
    name, description = details
    return StoredFolder(
        folder_id=text(folder.folder_id),
        partition=partition,
        owner=text(folder.owner),
        user_id=optional_text(folder.user_id),
        name=optional_text(name),
        description=optional_text(description),
        chunk_size=folder.chunk_size,
        removed=folder.removed,
        created_at=folder.created_at,
        updated_at=folder.updated_at,
        state=folders.CODEC.dump_json(folder).decode(),
    )


def of_documents(
    changes: DocumentChanges, known: KnownDocuments, read: Mapping[Claim, Details], partition: int
) -> list[StoredDocument]:
    """The rows of all changed documents; `read` are the details of the records that changed them, by claim."""
    return [
        of_document(one, partition, _details(one.details, known.details.get(key, GONE), read))
        for key, one in changes.documents.items()
    ]


def of_folders(
    changes: DocumentChanges, known: KnownDocuments, read: Mapping[Claim, Details], partition: int
) -> list[StoredFolder]:
    """The rows of all changed folders, as `of_documents`."""
    return [
        of_folder(one, partition, _details(one.details, known.details.get(key, GONE), read))
        for key, one in changes.folders.items()
    ]


def _details(claim: Claim | None, known: Details, read: Mapping[Claim, Details]) -> Details:
    """The details of a state: just read, or those of the row."""
    return GONE if claim is None else read.get(claim, known)


def _fold_document(changes: DocumentChanges, fact: Fact) -> None:
    document_id = text(fact.subject)
    if changes.documents.fold(document_id, fact) and isinstance(fact.data, DocumentRemoved):
        changes.removed_documents.append(document_id)


def _fold_folder(changes: DocumentChanges, fact: Fact) -> None:
    folder_id = text(fact.subject)
    folded = changes.folders.fold(folder_id, fact)
    if folded is None:
        return
    before, after = folded
    for document_id, since in folders.moves(after, fact):
        membership = (folder_id, text(document_id))
        changes.moves[membership] = _moved(changes.moves.get(membership), since)
    if after.removed and (before is None or not before.removed):
        changes.removed_folders.append(folder_id)


def _moved(before: Move | None, since: datetime | None) -> Move:
    if since is None:
        return Move(left=True, since=None)
    if before is None:
        return Move(left=False, since=since)
    return Move(left=before.left, since=before.since or since)
