"""`piperoll rebuild`: a new read model from offset 0, built beside the old one, which serves until the swap.

It uses the fold, readers and statements of the live projector, in another schema. At the swap the projectors are
locked out while the last records are read; then they continue from the checkpoints of the new tables. Readers never
wait for a lock.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass

import asyncpg
import structlog
from asyncpg import Connection

from piperoll.installation.guard import Guard
from piperoll.installation.identity import Installation
from piperoll.installation.tables import claim, require
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.stops import SkippedRecords, Stops
from piperoll.outages import Outage
from piperoll.postgres import MIGRATION_LOCK, load_queries
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.envelope import UnknownEventError
from schemas.read_model_names import READ_SCHEMA
from services.projector.database.schema import (
    REBUILD_SCHEMA,
    create_live_tables,
    create_tables,
    has_other_shape,
    queries,
)
from services.projector.database.session import Session
from services.projector.deliveries.writer import DeliveryWriter
from services.projector.documents.writer import DocumentWriter
from services.projector.endpoints.writer import EndpointWriter
from services.projector.jobs.writer import JobWriter
from services.projector.readers.topic_reader import ProjectorTopicReader, TopicWriter

log = structlog.get_logger()

REBUILD_LOCK = 0x72656275696C64  # any number, the same in every process
NEAR_RECORDS = 2000  # so many are read while the projectors wait: a fraction of a second
FENCE_S = 60.0  # the limit of the wait for running transactions of projectors, which take far less

Progress = Callable[[int, int], None]
"""Called with the number of records that are done, and the known total."""


class RebuildRunningError(RuntimeError):
    """Another rebuild is running. Wait for its end."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The result of a rebuild; `seconds` is its duration."""

    records: int
    seconds: float


async def rebuild(settings: Settings, progress: Progress = lambda done, total: None) -> Rebuilt:
    """Build a new read model and replace the old one.

    If interrupted, the old one stays in use; the next rebuild cleans up. Raises RebuildRunningError, InstallationError,
    OSError or asyncpg.PostgresError without Postgres, KafkaError without Kafka, BlobStoreError without the blob store.
    """
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        dsn = settings.postgres_dsn.get_secret_value()
        connection = await asyncpg.connect(dsn, command_timeout=FENCE_S)
        stack.push_async_callback(connection.close)
        sql = {**queries("queries.sql"), **load_queries("services.projector", "rebuild.sql")}
        offsets = KafkaOffsets(settings)
        await offsets.start()
        stack.push_async_callback(offsets.stop)
        replay = Replay(settings, offsets, progress)
        stack.push_async_callback(replay.close)
        await _make_room(connection, sql, await replay.guard.compare())
        await replay.begin()
        await replay.come_near()
        await connection.execute(sql["analyze"])
        await replay.come_near()  # the log went on meanwhile
        await _swap(connection, sql, replay)
        await connection.execute(sql["drop_retired"])
    return Rebuilt(replay.done, time.monotonic() - began)


async def _make_room(connection: Connection, sql: Mapping[str, str], installation: Installation) -> None:
    """Create empty tables beside the live ones, which are created too if missing."""
    if not await connection.fetchval(sql["lock_rebuild"], REBUILD_LOCK):
        raise RebuildRunningError("another rebuild of this read model is running: wait until it has ended")
    await require(connection, READ_SCHEMA, installation)
    await connection.execute(sql["drop_leftovers"])
    if not await has_other_shape(connection):  # this version cannot write tables of another shape
        async with connection.transaction():
            await create_live_tables(connection)
    await create_tables(connection, REBUILD_SCHEMA)
    await claim(connection, REBUILD_SCHEMA, installation)


async def _swap(connection: Connection, sql: Mapping[str, str], replay: "Replay") -> None:
    """Lock out the projectors, read the last records, rename the schemas. One transaction."""
    async with connection.transaction():
        await connection.execute(sql["lock_migrations"], MIGRATION_LOCK)
        await connection.execute(sql["fence"])
        await replay.catch_up()
        await connection.execute(sql["retire"])
        await connection.execute(sql["promote"])
        for writer in replay.writers:
            await connection.fetch(sql["announce"], writer.topic.name, writer.alias)
    log.info("read_model_swapped", schema=READ_SCHEMA, records=replay.done)


class Replay:
    """Reads all topics from their beginnings into the new schema. Sends no dead letters and no notifications."""

    def __init__(self, settings: Settings, offsets: KafkaOffsets, progress: Progress) -> None:
        never = asyncio.Event()
        self._blobs = AsyncBlobs(Blobs(settings.blob_url))
        self.guard = Guard(self._blobs, offsets)
        self._session = Session(settings.postgres_dsn.get_secret_value(), never)
        self._offsets = offsets
        self._progress = progress
        outage = Outage("the blob store", never)
        self.done = 0
        self.writers: tuple[TopicWriter, ...] = (
            JobWriter(self._blobs, outage, settings.partitions, REBUILD_SCHEMA),
            DeliveryWriter(REBUILD_SCHEMA),
            DocumentWriter(self._blobs, outage, REBUILD_SCHEMA),
            EndpointWriter(self._blobs, outage, REBUILD_SCHEMA),
        )
        self._readers = [
            ProjectorTopicReader(writer, self._session, offsets, None, REBUILD_SCHEMA) for writer in self.writers
        ]
        self._stops = Stops("rebuild", SkippedRecords(self._blobs), None)
        self._positions: list[dict[int, int]] = []

    async def begin(self) -> None:
        """Start at the oldest record of every partition."""
        for writer, reader in zip(self.writers, self._readers, strict=True):
            partitions = set(await self._offsets.begin_offsets(writer.topic))
            self._positions.append(dict(await reader.assigned(partitions)))

    async def left(self) -> int:
        """The number of records that are not read yet."""
        left = 0
        for writer, positions in zip(self.writers, self._positions, strict=True):
            ends = await self._offsets.end_offsets(writer.topic)
            left += sum(end - positions[part] for part, end in ends.items())
        self._progress(self.done, self.done + left)
        return left

    async def catch_up(self) -> None:
        """Read up to the current ends. Raises UnknownEventError."""
        left = await self.left()
        total = self.done + left
        for writer, reader, positions in zip(self.writers, self._readers, self._positions, strict=True):
            ends = await self._offsets.end_offsets(writer.topic)
            async with aclosing(self._offsets.scan(writer.topic, positions, ends)) as polls:
                async for records in polls:
                    if not records:
                        continue
                    part = records[0].partition
                    if await self._stops.handle(reader, part, records) is not None:
                        raise UnknownEventError(f"{writer.topic.name} cannot be read on: {self._stops.problem()}")
                    self.done += len(records)
                    self._progress(self.done, max(total, self.done))
            positions.update(ends)

    async def come_near(self) -> None:
        """Read until few records are left, so that projectors, and requests for new jobs, wait for no more."""
        while await self.left() > NEAR_RECORDS:
            await self.catch_up()

    async def close(self) -> None:
        """Release the connection and the threads."""
        await self._session.close()
        await asyncio.to_thread(self._blobs.close)
