"""A log and a Postgres of a test module's own, and the projector beside them, which each test runs as it needs it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar, TypeVar

import asyncpg

from piperoll.embedded.stack import Stack, StackOptions
from piperoll.installation.guard import Guard
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.topics.admin import create_topics
from piperoll.runtime import Lifetime
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.topics import Topic
from services.projector.app import main
from tests.support.waiting import PATIENCE_S, wait_until

TIMEOUT_S = 30
PARTITIONS = 3


class ProjectedLog:
    """What tests of a projector share. `topics` are those that `caught_up` waits for."""

    topics: ClassVar[tuple[Topic, ...]]

    def __init__(self, stack: Stack, settings: Settings, appender: KafkaAppender, offsets: KafkaOffsets) -> None:
        self.stack = stack
        self.settings = settings
        self.appender = appender
        self.offsets = offsets

    async def statement(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """The rows of one statement, over a connection of its own."""
        connection = await asyncpg.connect(self.settings.postgres_dsn.get_secret_value())
        try:
            return await connection.fetch(sql, *values)
        finally:
            await connection.close()

    async def caught_up(self) -> None:
        """Waits until the topics are projected to the ends they have now."""
        missing = (asyncpg.PostgresError, OSError)
        for topic in self.topics:
            ends = await self.offsets.end_offsets(topic)
            reached = partial(self._reached, topic, ends)
            await wait_until(reached, TIMEOUT_S, f"{topic.name} to be projected", not_yet=missing)

    async def _reached(self, topic: Topic, ends: dict[int, int]) -> bool:
        rows = await self.statement("SELECT * FROM read_v1.checkpoints WHERE topic = $1", topic.name)
        stored = {row["partition"]: row["next_offset"] for row in rows}
        return all(stored.get(partition, -1) >= end for partition, end in ends.items())

    @asynccontextmanager
    async def projector(self) -> AsyncIterator[Lifetime]:
        """The whole service, as its process runs it."""
        lifetime = Lifetime()
        task = asyncio.create_task(main(self.settings, lifetime))
        try:
            yield lifetime
        finally:
            lifetime.stopping.set()
            async with asyncio.timeout(PATIENCE_S):
                await task


L = TypeVar("L", bound=ProjectedLog)


@asynccontextmanager
async def opened(
    directory: Path, make: Callable[[Stack, Settings, KafkaAppender, KafkaOffsets], L]
) -> AsyncIterator[L]:
    """Starts the stack in `directory`, without services, and what `make` makes over it."""
    async with Stack(directory, StackOptions(services=(), partitions=PARTITIONS)) as stack:
        settings = Settings.from_environment(stack.environment)
        await create_topics(settings)
        blobs = AsyncBlobs(Blobs(settings.blob_url))
        appender, offsets = KafkaAppender(settings, "tests"), KafkaOffsets(settings)
        await appender.start()
        await offsets.start()
        await Guard(blobs, offsets).compare()  # before a test appends a record: by then a log has an installation
        blobs.close()
        try:
            yield make(stack, settings, appender, offsets)
        finally:
            await appender.stop()
            await offsets.stop()
