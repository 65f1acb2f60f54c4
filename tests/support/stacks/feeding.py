"""Tables of jobs that a test fills a poll at a time, and feeds of API processes that read them at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import asyncpg

from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.record import Record
from piperoll.log.topics.admin import create_topics
from piperoll.outages import Outage
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.topics import JOB_EVENTS
from services.api.owner_stream.changes import FACTS, ChangeFeed
from services.api.read_model.jobs import ReadModel
from services.api.read_model.positions import Positions
from services.projector.database.schema import create_tables
from services.projector.database.session import Session
from services.projector.jobs.writer import JobWriter
from services.projector.readers.topic_reader import ProjectorTopicReader
from tests.support.waiting import PATIENCE_S, wait_until

PARTITIONS = 24


class Projected:
    """Tables that the test fills a poll at a time, and API processes that read them."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, reader: ProjectorTopicReader) -> None:
        self.pool = pool
        self.reader = reader
        self._dsn = settings.postgres_dsn.get_secret_value()
        self._positions: list[tuple[Positions, asyncio.Task[None]]] = []
        self.ends: dict[int, int] = {}

    async def empty(self) -> None:
        """Empty all tables and start every position at 0."""
        await self.leave()
        tables = ("jobs", "events", "batches", "batch_counts", "ends", "parked")
        await self.pool.execute(f"TRUNCATE {', '.join(f'read_v1.{table}' for table in tables)}")
        await self.pool.execute("UPDATE read_v1.checkpoints SET next_offset = 0")
        await self.reader.revoked(set(range(PARTITIONS)))
        self.ends.clear()

    async def api(self, facts: int = FACTS) -> ChangeFeed:
        """The feed of another API process; a page has at most `facts` facts of a partition."""
        positions = Positions(self._dsn)
        self._positions.append((positions, asyncio.create_task(positions.run())))
        feed = ChangeFeed(ReadModel(self.pool, 5), positions, facts)
        await self._seen(positions)
        return feed

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        """Commit records as a projector would; wait until every API process knows the new position."""
        await self.reader.handle(partition, records)
        self.ends[partition] = records[-1].offset + 1
        for positions, _ in self._positions:
            await self._seen(positions)

    async def leave(self) -> None:
        for _, task in self._positions:
            task.cancel()
        self._positions.clear()

    async def _seen(self, positions: Positions) -> None:
        known = partial(positions.reached, JOB_EVENTS)
        await wait_until(lambda: len(known()) == PARTITIONS, 10, "the positions")
        async with asyncio.timeout(PATIENCE_S):
            await positions.passed(self.ends)


@asynccontextmanager
async def projected_tables(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Projected]:
    """Tables in this database, and all that fills them but a consumer."""
    await create_topics(settings)
    async with pool.acquire() as connection:
        await create_tables(connection, "read_v1")
    offsets, appender, stopping = KafkaOffsets(settings), KafkaAppender(settings, "tests"), asyncio.Event()
    await offsets.start()
    await appender.start()
    session = Session(settings.postgres_dsn.get_secret_value(), stopping)
    blobs = AsyncBlobs(Blobs(settings.blob_url))
    writer = JobWriter(blobs, Outage("the blob store", stopping), PARTITIONS)
    reader = ProjectorTopicReader(writer, session, offsets, DeadLetters(appender))
    await pool.executemany(
        "INSERT INTO read_v1.checkpoints (topic, partition, next_offset, cluster_id) VALUES ($1, $2, 0, 'test')",
        [(JOB_EVENTS.name, partition) for partition in range(PARTITIONS)],
    )
    made = Projected(settings, pool, reader)
    try:
        yield made
    finally:
        await made.leave()
        await session.close()
        blobs.close()
        await appender.stop()
        await offsets.stop()
