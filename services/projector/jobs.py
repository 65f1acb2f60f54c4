"""The tables of jobs, their events and their batches, from the topic of job events. Thin: the fold is `projection`."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import structlog
from asyncpg import Connection
from pydantic import ValidationError

from piperoll.blobs import AsyncBlobs, BlobMissingError
from piperoll.domain import batch as batches
from piperoll.domain import job as jobs
from schemas.events import BatchCreated
from schemas.read_model import READ_SCHEMA
from schemas.topics import JOB_EVENTS
from services.projector import rows
from services.projector.outages import Outage
from services.projector.parking import Parking
from services.projector.projection import Changes, Entry, EventRow, Known, project, text, units
from services.projector.reader import Write
from services.projector.rows import SPECS, BatchRow, JobRow, MemberSpec, columns
from services.projector.schema import queries

log = structlog.get_logger()

Specs = Mapping[str, Sequence[MemberSpec] | None]
"""Members' specs by the uri of their Claim; None where they are gone."""


class JobTables:
    """`Tables` of the job events. `partitions` is how many the topic has: members are placed before they exist."""

    topic = JOB_EVENTS
    alias = "jobs"

    def __init__(
        self, blobs: AsyncBlobs, parking: Parking, outage: Outage, partitions: int, schema: str = READ_SCHEMA
    ) -> None:
        self._blobs = blobs
        self._parking = parking
        self._outage = outage
        self._partitions = partitions
        self._sql = queries("queries.sql", schema)

    def units(self, entries: Sequence[Entry]) -> Iterable[Sequence[Entry]]:
        """See `projection.units`: batches are announced in bounded transactions."""
        return units(entries)

    async def prepare(self, entries: Sequence[Entry]) -> Write:
        """Reads the member specs of the batches in `entries`, over outages of the blob store."""
        uris = {
            entry.fact.data.specs.uri
            for entry in entries
            if entry.fact is not None and isinstance(entry.fact.data, BatchCreated)
        }
        return partial(self._write, {uri: await self._outage.outlast(partial(self._specs, uri)) for uri in uris})

    async def _specs(self, uri: str) -> Sequence[MemberSpec] | None:
        try:
            content = await self._blobs.get(uri)
        except BlobMissingError:
            return None  # erased: the members are announced without details
        try:
            return await asyncio.to_thread(SPECS.validate_json, content)
        except ValidationError as error:
            log.warning("specs_unreadable", uri=uri, error=str(error.errors(include_input=False)[:3]))
            return None

    async def _write(self, specs: Specs, connection: Connection, partition: int, entries: Sequence[Entry]) -> None:
        changes = project(await self._load(connection, entries), entries)
        await self._parking.park_all(connection, partition, changes.park, changes.parked)
        announced = await self._announced(changes, specs)
        folded = (rows.of_job(job, partition) for job in changes.jobs.values())
        if job_rows := rows.merge(folded, announced):
            await connection.execute(self._sql["upsert_jobs"], *columns(job_rows, JobRow))
        if changes.events:
            await connection.execute(self._sql["insert_events"], *columns(changes.events, EventRow))
        if changes.batches:
            batch_rows = [rows.of_batch(batch, partition) for batch in changes.batches.values()]
            await connection.execute(self._sql["upsert_batches"], *columns(batch_rows, BatchRow))

    async def _announced(self, changes: Changes, specs: Specs) -> list[JobRow]:
        """The members of new batches. On a thread: ten thousand ids take long enough to miss a heartbeat."""
        found: list[JobRow] = []
        for batch in changes.announced:
            found += await asyncio.to_thread(rows.of_members, batch, specs.get(batch.specs.uri), self._partitions)
        return found

    async def _load(self, connection: Connection, entries: Sequence[Entry]) -> Known:
        keys = {entry.key for entry in entries}
        keys.update(text(entry.fact.subject) for entry in entries if entry.fact is not None)
        known = Known()
        for kind, key, state in await connection.fetch(self._sql["load"], list(keys)):
            match kind:
                case "job":
                    known.jobs[key] = jobs.CODEC.validate_json(state)
                case "batch":
                    known.batches[key] = batches.CODEC.validate_json(state)
                case _:
                    known.parked.add(key)
        return known
