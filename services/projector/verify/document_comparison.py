"""The tables of documents, folders and search compared with the log, in sentences. Pure."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import datetime
from typing import Any

from piperoll.domain import document as documents
from piperoll.domain import folder as folders
from piperoll.domain.document import Document
from piperoll.domain.folder import Folder
from piperoll.history import Violation, misplaced_record
from piperoll.log.record import Position
from schemas.documents import FolderIndex
from schemas.envelope import Fact
from schemas.events import DocumentAdded, DocumentRemoved, FolderMembersChanged
from services.projector.database.values import text
from services.projector.documents.projection import GONE, StoredDocument, StoredFolder, of_document, of_folder
from services.projector.search.vectors import Chunk, packed
from services.projector.verify.jobs import INVARIANT, TableRow, row_violations

ChunkKey = tuple[int, str, int, str, str]
"""Of a chunk: its position, document and number, and the hashes of its text and its vector."""


class DocumentHistory:
    """The facts of one partition of the documents topic: folded states, and the members with their times."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self.documents: dict[str, Document] = {}
        self.folders: dict[str, Folder] = {}
        self.members: dict[tuple[str, str], datetime] = {}
        self.misplaced: list[Violation] = []

    def observe(self, fact: Fact, position: Position) -> None:
        """Take the next fact, in log order."""
        key = text(fact.subject)
        if found := misplaced_record(fact.subject, position, self._partitions):
            self.misplaced.append(found)
        if isinstance(fact.data, DocumentAdded | DocumentRemoved):
            document = documents.evolve(self.documents.get(key), fact)
            if document is not None:
                self.documents[key] = document
            return
        before = self.folders.get(key)
        folder = folders.evolve(before, fact)
        if folder is None or folder is before:
            return
        self.folders[key] = folder
        if folder.removed:
            self.members = {membership: since for membership, since in self.members.items() if membership[0] != key}
        elif isinstance(fact.data, FolderMembersChanged):
            for document_id in fact.data.added:
                self.members.setdefault((key, text(document_id)), folder.updated_at)
            for document_id in fact.data.removed:
                self.members.pop((key, text(document_id)), None)


def document_violations(history: DocumentHistory, stored: Iterable[TableRow], partition: int) -> Iterator[Violation]:
    """Documents whose rows differ, are missing or are too many. A name is checked only if it must be empty."""

    def differences(document: Document, row: TableRow) -> Iterator[str]:
        details = GONE if document.details is None else (row["name"], row["source"])
        return _differences(row, of_document(document, partition, details))

    return row_violations(history.documents, stored, "document_id", differences)


def folder_violations(history: DocumentHistory, stored: Iterable[TableRow], partition: int) -> Iterator[Violation]:
    """Folders whose rows differ, are missing or are too many; as `document_violations`."""

    def differences(folder: Folder, row: TableRow) -> Iterator[str]:
        details = GONE if folder.details is None else (row["name"], row["description"])
        return _differences(row, of_folder(folder, partition, details))

    return row_violations(history.folders, stored, "folder_id", differences)


def index_violations(job_id: str, created_at: datetime, index: FolderIndex, row: TableRow) -> Iterator[Violation]:
    """The differences between an index's rows, loaded or not, and its blob."""
    expected: dict[str, Any] = {"folder_id": text(index.folder_id), "job_created_at": created_at}
    if row["loaded"]:
        expected |= {"model": text(index.model), "dimensions": index.dimensions, "chunks": index.chunks}
    for name, value in expected.items():
        if row[name] != value:
            sentence = f"has {name} {row[name]!r} in its index's row, {value!r} in its index"
            yield Violation(INVARIANT, job_id, sentence)


def chunk_key(chunk: Chunk) -> ChunkKey:
    """The key of a chunk's row in the chunks table."""
    content, vector = _md5(chunk.text.encode()), _md5(packed(chunk.embedding))
    return chunk.position, chunk.document_id, chunk.number, content, vector


def _differences(row: TableRow, expected: StoredDocument | StoredFolder) -> Iterator[str]:
    for name in (column.name for column in fields(expected)):
        value = getattr(expected, name)
        if row[name] != value:
            yield f"has {name} {str(row[name])[:200]!r} in its row, {str(value)[:200]!r} in the log"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
