"""The search tables of a folder: the chunks and vectors of its newest embedding job that was not erased.

`index_jobs` holds every embedding job, so the order in which partitions are read does not matter. When the newest job
of a folder changes, its index is loaded in the same transaction. A removed folder has no index, a removed document no
chunks. Documents are loaded one at a time, because the size of a folder has no limit.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

import structlog
from asyncpg import Connection
from pydantic import ValidationError

from piperoll.claimed_content import ClaimedContent
from piperoll.store.blobs import BlobMissingError, BlobUnreadableError
from schemas.claims import Claim
from schemas.documents import FolderIndex, IndexedChunk, IndexedDocument, IndexPart
from schemas.read_model_names import READ_SCHEMA
from services.projector import metrics
from services.projector.database.schema import queries
from services.projector.database.values import text
from services.projector.search.vectors import CHUNK_COLUMNS, MOST_DIMENSIONS, Chunk, copy_rows, refusal

log = structlog.get_logger()

CHUNKS_AT_ONCE = 2000  # rows of one COPY: a few megabytes, a fraction of a second


@dataclass(frozen=True, slots=True)
class CompletedIndex:
    """An embedding job whose completion was accepted, and its index."""

    job_id: str
    job_created_at: datetime
    uri: str
    index: FolderIndex


class SearchIndex:
    """Reads indexes, and keeps the newest of each folder loaded in the tables of `schema`."""

    def __init__(self, contents: ClaimedContent, schema: str = READ_SCHEMA) -> None:
        self._contents = contents
        self._schema = schema
        self._sql = queries("search.sql", schema)

    async def read(self, claim: Claim) -> FolderIndex | None:
        """The index that a claim names; None if it was erased, cannot be read or is invalid."""
        return await self._read_index(claim.uri, self._contents.get(claim))

    async def _read_index(self, uri: str, reading: Awaitable[bytes]) -> FolderIndex | None:
        try:
            content = await reading
        except BlobMissingError:
            return None
        except BlobUnreadableError as error:
            metrics.unreadable("search", "an index", uri, error)
            return None
        try:
            index = await asyncio.to_thread(FolderIndex.model_validate_json, content)
        except ValidationError as error:
            log.warning("index_unreadable", uri=uri, error=str(error.errors(include_input=False)[:3]))
            return None
        if index.dimensions > MOST_DIMENSIONS:
            log.warning("index_refused", uri=uri, dimensions=index.dimensions, most=MOST_DIMENSIONS)
            return None
        return index

    async def chunks(
        self, job_id: str, index: FolderIndex, without: Collection[str]
    ) -> AsyncIterator[tuple[str, list[Chunk] | None]]:
        """The rows of a job's index, by document, except the documents in `without`.

        None for a document whose chunks were erased; an invalid part has no rows.
        """
        first = 0
        for part in index.parts:
            document_id = text(part.document_id)
            if document_id not in without:
                found = await self._read_part(part, index.dimensions)
                rows = None if found is None else [_row(job_id, first, index, part, one) for one in found]
                yield document_id, rows
            first += part.chunks

    async def removed(self, connection: Connection, index: FolderIndex) -> set[str]:
        """The removed documents of an index."""
        ids = [text(part.document_id) for part in index.parts]
        return {row["document_id"] for row in await connection.fetch(self._sql["removed"], ids)}

    async def settle(self, connection: Connection, made: Sequence[CompletedIndex], erased: Collection[str]) -> None:
        """Load the indexes of new jobs, and remove those of `erased` jobs."""
        folders = {text(one.index.folder_id) for one in made}
        if erased:
            rows = await connection.fetch(self._sql["folders_of"], list(erased))
            folders.update(row["folder_id"] for row in rows)
        if not folders:
            return
        await connection.execute(self._sql["lock"])
        await connection.execute(self._sql["drop_index_jobs"], list(erased))
        for one in made:
            folder_id = text(one.index.folder_id)
            await connection.execute(
                self._sql["add_index_job"], one.job_id, folder_id, one.job_created_at, text(one.uri)
            )
        at_hand = {one.job_id: one.index for one in made}
        for folder_id in sorted(folders):
            await self._settle_folder(connection, folder_id, at_hand)

    async def forget(self, connection: Connection, documents: Sequence[str], folders: Sequence[str]) -> None:
        """Remove the rows of removed documents and folders. Call it after their own rows are written."""
        if documents or folders:
            await connection.execute(self._sql["lock"])
        if documents:
            await connection.execute(self._sql["drop_documents"], documents)
        if folders:
            await self._unload(connection, folders)

    async def _settle_folder(self, connection: Connection, folder_id: str, at_hand: Mapping[str, FolderIndex]) -> None:
        loaded = await connection.fetchval(self._sql["loaded"], folder_id)
        for job_id, job_created_at, uri in await connection.fetch(self._sql["candidates"], folder_id):
            if job_id == loaded:
                return
            index = at_hand.get(job_id) or await self._read_index(uri, self._contents.at_once(uri))
            if index is not None:
                await self._unload(connection, [folder_id])
                await self._load(connection, folder_id, CompletedIndex(job_id, job_created_at, uri, index))
                return
        await self._unload(connection, [folder_id])

    async def _unload(self, connection: Connection, folders: Sequence[str]) -> None:
        await connection.execute(self._sql["drop_chunks"], folders)
        await connection.execute(self._sql["drop_indexes"], folders)

    async def _load(self, connection: Connection, folder_id: str, made: CompletedIndex) -> None:
        index = made.index
        await connection.execute(
            self._sql["add_index"],
            folder_id,
            made.job_id,
            made.job_created_at,
            text(index.model),
            index.dimensions,
            index.chunks,
        )
        async for _, chunks in self.chunks(made.job_id, index, await self.removed(connection, index)):
            for some in _batched(chunks or ()):
                rows = await asyncio.to_thread(copy_rows, some)
                await connection.copy_to_table(
                    "chunks", source=BytesIO(rows), columns=CHUNK_COLUMNS, schema_name=self._schema, format="binary"
                )

    async def _read_part(self, part: IndexPart, dimensions: int) -> Sequence[IndexedChunk] | None:
        """A document's chunks; None if they were erased, empty if they cannot be read or are invalid."""
        uri = part.content.uri
        try:
            content = await self._contents.get_once(part.content)
        except BlobMissingError:
            return None
        except BlobUnreadableError as error:
            metrics.unreadable("search", "chunks of an index", uri, error)
            return ()
        try:
            document = await asyncio.to_thread(IndexedDocument.model_validate_json, content)
        except ValidationError as error:
            log.warning("index_part_unreadable", uri=uri, error=str(error.errors(include_input=False)[:3]))
            return ()
        if why := await asyncio.to_thread(refusal, document.chunks, dimensions):
            log.warning("index_part_refused", uri=uri, why=why)
            return ()
        return document.chunks[: part.chunks]


def _batched(chunks: Sequence[Chunk]) -> Iterator[Sequence[Chunk]]:
    for begin in range(0, len(chunks), CHUNKS_AT_ONCE):
        yield chunks[begin : begin + CHUNKS_AT_ONCE]


def _row(job_id: str, first: int, index: FolderIndex, part: IndexPart, one: IndexedChunk) -> Chunk:
    """A chunk's row; `first` is the position of its document's first chunk in the index."""
    return Chunk(
        job_id=job_id,
        position=first + one.number,
        folder_id=text(index.folder_id),
        document_id=text(part.document_id),
        number=one.number,
        text=text(one.text),
        embedding=one.vector,
    )
