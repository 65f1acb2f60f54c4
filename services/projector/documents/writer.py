"""The tables of documents, folders and their members, from the topic of documents. The fold is in `projection`."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

import structlog
from asyncpg import Connection
from pydantic import ValidationError

from piperoll.claimed_content import ClaimedContent
from piperoll.domain import document as documents
from piperoll.domain import folder as folders
from piperoll.outages import Outage
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, BlobUnreadableError
from schemas.claims import Claim
from schemas.documents import DocumentDetails, FolderDetails
from schemas.envelope import Fact
from schemas.events import DocumentAdded, FolderChanged, FolderCreated
from schemas.read_model_names import READ_SCHEMA
from schemas.topics import DOCUMENT_EVENTS
from services.projector import metrics
from services.projector.database.schema import queries
from services.projector.database.values import columns, subjects_of
from services.projector.documents import projection
from services.projector.documents.projection import (
    GONE,
    Details,
    DocumentChanges,
    KnownDocuments,
    StoredDocument,
    StoredFolder,
    project,
)
from services.projector.readers.topic_reader import TopicWriter, Write
from services.projector.search.index import SearchIndex

log = structlog.get_logger()

Shape = DocumentDetails | FolderDetails


class DocumentWriter(TopicWriter):
    """Writes the document events."""

    topic = DOCUMENT_EVENTS
    alias = "documents"

    def __init__(self, blobs: AsyncBlobs, outage: Outage, schema: str = READ_SCHEMA) -> None:
        self._contents = ClaimedContent(blobs, outage)
        self._sql = queries("documents.sql", schema)
        self._search = SearchIndex(self._contents, schema)

    async def prepare(self, facts: Sequence[Fact]) -> Write:
        """Read the details of `facts`, waiting during outages of the blob store."""
        wanted = dict(claim for fact in facts if (claim := _details_claim(fact)))
        return partial(self._write, await self._read(wanted))

    async def _read(self, wanted: Mapping[Claim, type[Shape]]) -> dict[Claim, Details]:
        found = await asyncio.gather(*(self._details(claim, shape) for claim, shape in wanted.items()))
        return dict(zip(wanted, found, strict=True))

    async def _details(self, claim: Claim, shape: type[Shape]) -> Details:
        try:
            found = shape.model_validate_json(await self._contents.get(claim))
        except BlobMissingError:
            return GONE
        except BlobUnreadableError as error:
            metrics.unreadable(self.alias, "details", claim.uri, error)
            return GONE
        except ValidationError as error:
            log.warning("details_unreadable", uri=claim.uri, error=str(error.errors(include_input=False)[:3]))
            return GONE
        return (found.name, found.source) if isinstance(found, DocumentDetails) else (found.name, found.description)

    async def _write(
        self,
        read: Mapping[Claim, Details],
        connection: Connection,
        partition: int,
        facts: Sequence[tuple[Fact, int]],
    ) -> None:
        known = await self._load(connection, facts)
        changes = project(known, facts)
        if found := projection.of_documents(changes, known, read, partition):
            await connection.execute(self._sql["upsert_documents"], *columns(found, StoredDocument))
        if made := projection.of_folders(changes, known, read, partition):
            await connection.execute(self._sql["upsert_folders"], *columns(made, StoredFolder))
        await self._move(connection, changes)
        await self._search.forget(connection, changes.removed_documents, changes.removed_folders)

    async def _move(self, connection: Connection, changes: DocumentChanges) -> None:
        left = [membership for membership, move in changes.moves.items() if move.left]
        entered = [(*membership, move.since) for membership, move in changes.moves.items() if move.since is not None]
        if left:
            await connection.execute(self._sql["leave"], *map(list, zip(*left, strict=True)))
        if entered:
            await connection.execute(self._sql["enter"], *map(list, zip(*entered, strict=True)))
        if changes.removed_folders:
            await connection.execute(self._sql["clear"], changes.removed_folders)

    async def _load(self, connection: Connection, facts: Sequence[tuple[Fact, int]]) -> KnownDocuments:
        known = KnownDocuments()
        for kind, key, state, name, hint in await connection.fetch(self._sql["load"], subjects_of(facts)):
            known.details[key] = (name, hint)
            if kind == "document":
                known.documents[key] = documents.CODEC.validate_json(state)
            else:
                known.folders[key] = folders.CODEC.validate_json(state)
        return known


def _details_claim(fact: Fact) -> tuple[Claim, type[Shape]] | None:
    """The claim and the type of the details in a fact."""
    match fact.data:
        case DocumentAdded(details=claim):
            return claim, DocumentDetails
        case FolderCreated(details=claim):
            return claim, FolderDetails
        case FolderChanged(details=claim) if claim is not None:
            return claim, FolderDetails
        case _:
            return None
