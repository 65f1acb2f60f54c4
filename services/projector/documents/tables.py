"""The tables of documents, folders and their members, from the topic of documents.

Thin: the fold is `document_rows`.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import structlog
from asyncpg import Connection
from pydantic import ValidationError

from piperoll.domain import document as documents
from piperoll.domain import folder as folders
from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from schemas.documents import DocumentDetails, FolderDetails
from schemas.events import DocumentAdded, FolderChanged, FolderCreated
from schemas.read_model import READ_SCHEMA
from schemas.topics import DOCUMENT_EVENTS
from services.projector.documents import projection as document_rows
from services.projector.documents.projection import GONE, Changes, Details, DocumentRow, FolderRow, Known, project
from services.projector.jobs.projection import Entry, keys_of
from services.projector.jobs.rows import columns
from services.projector.readers.outages import Outage
from services.projector.readers.parking import Parking
from services.projector.readers.topic_reader import Write
from services.projector.search.tables import SearchIndex
from services.projector.tables.schema import queries

log = structlog.get_logger()

Shape = DocumentDetails | FolderDetails


class DocumentTables:
    """`Tables` of the document events."""

    topic = DOCUMENT_EVENTS
    alias = "documents"

    def __init__(self, blobs: AsyncBlobs, parking: Parking, outage: Outage, schema: str = READ_SCHEMA) -> None:
        self._blobs = blobs
        self._parking = parking
        self._outage = outage
        self._sql = queries("documents.sql", schema)
        self._search = SearchIndex(blobs, schema)

    def units(self, entries: Sequence[Entry]) -> Iterable[Sequence[Entry]]:
        """A whole poll is one transaction."""
        return [entries] if entries else []

    async def prepare(self, entries: Sequence[Entry]) -> Write:
        """Reads the details that `entries` name, over outages of the blob store."""
        wanted = dict(claim for entry in entries if (claim := _details_claim(entry)))
        return partial(self._write, await self._outage.outlast(partial(self._read, wanted)))

    async def _read(self, wanted: Mapping[str, type[Shape]]) -> dict[str, Details]:
        found = await asyncio.gather(*(self._details(uri, shape) for uri, shape in wanted.items()))
        return dict(zip(wanted, found, strict=True))

    async def _details(self, uri: str, shape: type[Shape]) -> Details:
        try:
            found = shape.model_validate_json(await self._blobs.get(uri))
        except BlobMissingError:
            return GONE
        except ValidationError as error:
            log.warning("details_unreadable", uri=uri, error=str(error.errors(include_input=False)[:3]))
            return GONE
        return (found.name, found.source) if isinstance(found, DocumentDetails) else (found.name, found.description)

    async def _write(
        self, read: Mapping[str, Details], connection: Connection, partition: int, entries: Sequence[Entry]
    ) -> None:
        known = await self._load(connection, entries)
        changes = project(known, entries)
        await self._parking.park_all(connection, partition, changes.park, changes.parked)
        if found := document_rows.of_documents(changes, known, read, partition):
            await connection.execute(self._sql["upsert_documents"], *columns(found, DocumentRow))
        if made := document_rows.of_folders(changes, known, read, partition):
            await connection.execute(self._sql["upsert_folders"], *columns(made, FolderRow))
        await self._move(connection, changes)
        await self._search.forget(connection, changes.removed_documents, changes.removed_folders)

    async def _move(self, connection: Connection, changes: Changes) -> None:
        left = [place for place, move in changes.moves.items() if move.left]
        entered = [(*place, move.since) for place, move in changes.moves.items() if move.since is not None]
        if left:
            await connection.execute(self._sql["leave"], *map(list, zip(*left, strict=True)))
        if entered:
            await connection.execute(self._sql["enter"], *map(list, zip(*entered, strict=True)))
        if changes.removed_folders:
            await connection.execute(self._sql["clear"], changes.removed_folders)

    async def _load(self, connection: Connection, entries: Sequence[Entry]) -> Known:
        known = Known()
        for kind, key, state, name, hint in await connection.fetch(self._sql["load"], keys_of(entries)):
            if kind == "parked":
                known.parked.add(key)
                continue
            known.details[key] = (name, hint)
            if kind == "document":
                known.documents[key] = documents.CODEC.validate_json(state)
            else:
                known.folders[key] = folders.CODEC.validate_json(state)
        return known


def _details_claim(entry: Entry) -> tuple[str, type[Shape]] | None:
    """Where the details are that an entry names, and what they are."""
    match entry.fact.data if entry.fact else None:
        case DocumentAdded(details=claim):
            return claim.uri, DocumentDetails
        case FolderCreated(details=claim):
            return claim.uri, FolderDetails
        case FolderChanged(details=claim) if claim is not None:
            return claim.uri, FolderDetails
        case _:
            return None
