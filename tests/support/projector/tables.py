"""Projectors with separate tables."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import uuid4

import asyncpg

from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.record import Record
from piperoll.outages import Outage
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import BatchCreated
from schemas.ids import draw_batch_id
from services.projector.database.schema import create_tables
from services.projector.database.session import Session
from services.projector.deliveries.writer import DeliveryWriter
from services.projector.jobs.writer import JobWriter
from services.projector.readers.topic_reader import ProjectorTopicReader
from tests.support.histories.jobs import (
    fact,
)

PARTITIONS = 3


@dataclass
class Projecting:
    """A projector over a separate schema: what it reads, and what its tables hold."""

    settings: Settings
    pool: asyncpg.Pool
    schema: str
    jobs: ProjectorTopicReader
    deliveries: ProjectorTopicReader
    blobs: AsyncBlobs

    async def rows(self, table: str, order: str) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.pool.fetch(f"SELECT * FROM {self.schema}.{table} ORDER BY {order}")]

    async def tables(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "jobs": await self.rows("jobs", "job_id"),
            "events": await self.rows("events", "job_id, sequence"),
            "batches": await self.rows("batches", "batch_id"),
            "ends": await self.rows("ends", "partition, seconds, at"),
            "parked": await self.rows("parked", "job_id"),
        }

    async def job(self, job_id: str) -> dict[str, Any]:
        row = await self.pool.fetchrow(f"SELECT * FROM {self.schema}.jobs WHERE job_id = $1", job_id)
        assert row is not None
        return dict(row)

    async def batch_created(self, count: int) -> Fact:
        batch_id = draw_batch_id()
        specs = [{"job_type": "pdf", "user_id": f"user-{number}", "parameters": {}} for number in range(count)]
        where: Claim = await self.blobs.put(f"{batch_id}/in", json.dumps(specs).encode())
        return fact(batch_id, BatchCreated(count=count, specs=where, body_sha256="0" * 64))


class Projectors:
    """Makes projectors, each with separate tables."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, offsets: KafkaOffsets, appender: KafkaAppender) -> None:
        self._settings = settings.model_copy(update={"partitions": PARTITIONS})
        self._pool = pool
        self._offsets = offsets
        self._dead_letters = DeadLetters(appender)
        self._blobs = AsyncBlobs(Blobs(settings.blob_url))
        self._sessions: list[Session] = []

    async def make(self, schema: str | None = None) -> Projecting:
        schema = schema or f"s_{uuid4().hex[:12]}"
        async with self._pool.acquire() as connection:
            await create_tables(connection, schema)
        stopping = asyncio.Event()
        session = Session(self._settings.postgres_dsn.get_secret_value(), stopping)
        self._sessions.append(session)
        jobs = JobWriter(self._blobs, Outage("the blob store", stopping), PARTITIONS, schema)
        readers = [
            ProjectorTopicReader(each, session, self._offsets, self._dead_letters, schema)
            for each in (jobs, DeliveryWriter(schema))
        ]
        for reader in readers:
            await reader.assigned(set(range(PARTITIONS)))
            await reader.revoked(set(range(PARTITIONS)))  # these polls are handed over by the test, from offset 0
        await self._pool.execute(f"UPDATE {schema}.checkpoints SET next_offset = 0")
        return Projecting(self._settings, self._pool, schema, readers[0], readers[1], self._blobs)

    async def close(self) -> None:
        for session in self._sessions:
            await session.close()
        await asyncio.to_thread(self._blobs.close)


def polls(records: Sequence[Record], cuts: Sequence[int]) -> list[Sequence[Record]]:
    edges = [0, *cuts, len(records)]
    return [records[begin:end] for begin, end in pairwise(edges) if begin < end]
