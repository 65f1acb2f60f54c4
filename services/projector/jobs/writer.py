"""The tables of jobs, events, batches, ends and search, from the topic of job events. The fold is in `projection`."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import structlog
from asyncpg import Connection
from pydantic import ValidationError

from piperoll.claimed_content import ClaimedContent
from piperoll.domain import batch as batches
from piperoll.domain import job as jobs
from piperoll.log.parking import Decoded
from piperoll.outages import Outage
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, BlobUnreadableError
from schemas.claims import Claim
from schemas.documents import FolderIndex
from schemas.envelope import Fact
from schemas.events import BatchCreated, JobCompleted
from schemas.read_model_names import READ_SCHEMA
from schemas.topics import JOB_EVENTS
from services.projector import metrics
from services.projector.database.schema import queries
from services.projector.database.values import columns, subjects_of
from services.projector.jobs import ends, rows
from services.projector.jobs.ends import FirstKept, StoredEnds
from services.projector.jobs.projection import JobChanges, KnownJobs, StoredEvent, project, units
from services.projector.jobs.rows import SPECS, MemberSpec, StoredBatch, StoredJob
from services.projector.readers.topic_reader import TopicWriter, Write
from services.projector.search.index import CompletedIndex, SearchIndex

log = structlog.get_logger()

Specs = Mapping[Claim, Sequence[MemberSpec] | None]
"""Members' specs by their Claim; None if they were erased or cannot be read."""
Indexes = Mapping[Claim, FolderIndex | None]
"""The indexes of embedding jobs by their Claim; None if it was erased or cannot be read."""


class JobWriter(TopicWriter):
    """Writes the job events. The partition of a batch member follows from `partitions` before its first fact."""

    topic = JOB_EVENTS
    alias = "jobs"

    def __init__(self, blobs: AsyncBlobs, outage: Outage, partitions: int, schema: str = READ_SCHEMA) -> None:
        self._contents = ClaimedContent(blobs, outage)
        self._partitions = partitions
        self._sql = {**queries("queries.sql", schema), **queries("words.sql", schema)}
        self._search = SearchIndex(self._contents, schema)

    def units(self, entries: Sequence[Decoded]) -> Iterable[Sequence[Decoded]]:
        """See `projection.units`: batches are added, and indexes loaded, in bounded transactions."""
        return units(entries)

    async def prepare(self, facts: Sequence[Fact]) -> Write:
        """Read the specs of new batches, and indexes, waiting during outages of the blob store."""
        events = [fact.data for fact in facts]
        lists = {data.specs for data in events if isinstance(data, BatchCreated)}
        made = {data.index for data in events if isinstance(data, JobCompleted) and data.index is not None}
        specs = {claim: await self._specs(claim) for claim in lists}
        indexes = {claim: await self._search.read(claim) for claim in made}
        return partial(self._write, specs, indexes)

    async def _specs(self, claim: Claim) -> Sequence[MemberSpec] | None:
        try:
            content = await self._contents.get(claim)
        except BlobMissingError:
            return None  # erased: the members are announced without details
        except BlobUnreadableError as error:
            metrics.unreadable(self.alias, "specs of a batch", claim.uri, error)
            return None
        try:
            return await asyncio.to_thread(SPECS.validate_json, content)
        except ValidationError as error:
            log.warning("specs_unreadable", uri=claim.uri, error=str(error.errors(include_input=False)[:3]))
            return None

    async def _write(
        self,
        specs: Specs,
        indexes: Indexes,
        connection: Connection,
        partition: int,
        facts: Sequence[tuple[Fact, int]],
    ) -> None:
        changes = project(await self._load(connection, facts), facts)
        announced = await self._announced(changes, specs)
        folded = (rows.of_job(job, partition) for job in changes.jobs.values())
        if job_rows := rows.merge(folded, announced):
            await connection.execute(self._sql["upsert_jobs"], *columns(job_rows, StoredJob))
        if changes.events:
            await connection.execute(self._sql["insert_events"], partition, *columns(changes.events, StoredEvent))
        spans, first = ends.count(changes.ended)
        if spans:
            arrays = (*columns(spans, StoredEnds), *columns(first, FirstKept))
            await connection.execute(self._sql["count_ends"], partition, *arrays)
        if changes.batches:
            offsets = changes.batch_offsets
            batch_rows = [rows.of_batch(batch, partition, offsets[key]) for key, batch in changes.batches.items()]
            await connection.execute(self._sql["upsert_batches"], *columns(batch_rows, StoredBatch))
        await self._note_words(connection, partition, changes)
        await self._search.settle(connection, _made(changes, indexes), changes.erased)

    async def _note_words(self, connection: Connection, partition: int, changes: JobChanges) -> None:
        """Note jobs whose words are to be read (services.projector.words), and remove those of erased jobs."""
        if changes.unread:
            unread = sorted(changes.unread)
            sequences = [changes.jobs[job_id].sequence for job_id in unread]
            await connection.execute(self._sql["note_unread"], partition, unread, sequences)
        if changes.erased:
            erased = sorted(changes.erased)
            await connection.execute(self._sql["forget_unread"], partition, erased)
            await connection.execute(self._sql["forget_words"], erased)

    async def _announced(self, changes: JobChanges, specs: Specs) -> list[StoredJob]:
        """The members of new batches. On a thread, since deriving ten thousand ids can miss a heartbeat."""
        found: list[StoredJob] = []
        for batch in changes.announced:
            found += await asyncio.to_thread(rows.of_members, batch, specs.get(batch.specs), self._partitions)
        return found

    async def _load(self, connection: Connection, facts: Sequence[tuple[Fact, int]]) -> KnownJobs:
        known = KnownJobs()
        for kind, key, state in await connection.fetch(self._sql["load"], subjects_of(facts)):
            if kind == "job":
                known.jobs[key] = jobs.CODEC.validate_json(state)
            else:
                known.batches[key] = batches.CODEC.validate_json(state)
        return known


def _made(changes: JobChanges, indexes: Indexes) -> list[CompletedIndex]:
    """The indexes of completed jobs that still exist."""
    return [
        CompletedIndex(job_id, changes.jobs[job_id].created_at, claim.uri, index)
        for job_id, claim in changes.indexed.items()
        if (index := indexes.get(claim)) is not None
    ]
