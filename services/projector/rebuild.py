"""`piperoll rebuild`: a new read model from offset 0, built beside the old one, which serves until the swap.

The same fold, readers and statements as the live projector's, into another schema. At the swap the projectors are
fenced for as long as the last records take; then they go on by themselves from the new tables' checkpoints.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg
import structlog
from asyncpg import Connection

from piperoll.log.kafka import KafkaOffsets
from piperoll.outages import Outage
from piperoll.postgres import MIGRATION_LOCK, load_queries
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.read_model import READ_SCHEMA
from services.projector.deliveries.tables import DeliveryTables
from services.projector.documents.tables import DocumentTables
from services.projector.endpoints.tables import EndpointTables
from services.projector.jobs.tables import JobTables
from services.projector.readers.topic_reader import TableReader, Tables
from services.projector.tables.schema import REBUILD_SCHEMA, create_tables, has_other_shape, migrate_live, queries
from services.projector.tables.session import Session

log = structlog.get_logger()

REBUILD_LOCK = 0x72656275696C64  # any number, the same in every process
NEAR_RECORDS = 2000  # so few are left to the time when the projectors stand still: a fraction of a second
FENCE_S = 60.0  # a projector's transaction ends long before

Progress = Callable[[int, int], None]
"""Called with how many records are done, of how many that are known of."""


class RebuildRunningError(RuntimeError):
    """Another rebuild is under way. Wait for it."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did; `seconds` in all."""

    records: int
    seconds: float


async def rebuild(settings: Settings, progress: Progress = lambda done, total: None) -> Rebuilt:
    """Build a new read model and put it in the old one's place.

    Interrupted, it leaves the old one serving; the next rebuild clears up. Raises RebuildRunningError, OSError or
    asyncpg.PostgresError without Postgres, aiokafka's KafkaError without Kafka.
    """
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        dsn = settings.postgres_dsn.get_secret_value()
        connection = await asyncpg.connect(dsn, command_timeout=FENCE_S)
        stack.push_async_callback(connection.close)
        sql = {**queries("queries.sql"), **load_queries("services.projector", "rebuild.sql")}
        await _make_room(connection, sql)
        offsets = KafkaOffsets(settings)
        await offsets.start()
        stack.push_async_callback(offsets.stop)
        filling = Filling(settings, offsets, progress)
        stack.push_async_callback(filling.close)
        await filling.begin()
        while await filling.left() > NEAR_RECORDS:
            await filling.catch_up()
        await connection.execute(sql["analyze"])
        await _swap(connection, sql, filling)
        await connection.execute(sql["drop_retired"])
    return Rebuilt(filling.done, time.monotonic() - began)


async def _make_room(connection: Connection, sql: Mapping[str, str]) -> None:
    """Empty tables beside the live ones, which are made too where there are none yet."""
    if not await connection.fetchval(sql["lock_rebuild"], REBUILD_LOCK):
        raise RebuildRunningError("another rebuild of this read model is under way: wait until it has ended")
    await connection.execute(sql["drop_leftovers"])
    if not await has_other_shape(connection):  # such tables only make room: this version cannot write them
        async with connection.transaction():
            await migrate_live(connection)
    await create_tables(connection, REBUILD_SCHEMA)


async def _swap(connection: Connection, sql: Mapping[str, str], filling: "Filling") -> None:
    """Fences the projectors, reads the last records, renames. One transaction: all of it or nothing."""
    async with connection.transaction():
        await connection.execute(sql["lock_migrations"], MIGRATION_LOCK)
        await connection.execute(sql["fence"])
        await filling.catch_up()
        await connection.execute(sql["retire"])
        await connection.execute(sql["promote"])
        for tables in filling.tables:
            await connection.fetch(sql["announce"], tables.topic.name, tables.alias)
    log.info("read_model_swapped", schema=READ_SCHEMA, records=filling.done)


class Filling:
    """Reads all topics from their beginnings into the new schema. Parks nothing again, and sends no notification."""

    def __init__(self, settings: Settings, offsets: KafkaOffsets, progress: Progress) -> None:
        never = asyncio.Event()
        self._blobs = AsyncBlobs(Blobs(settings.blob_url))
        self._session = Session(settings.postgres_dsn.get_secret_value(), never)
        self._offsets = offsets
        self._progress = progress
        outage = Outage("the blob store", never)
        self.done = 0
        self.tables: tuple[Tables, ...] = (
            JobTables(self._blobs, outage, settings.partitions, REBUILD_SCHEMA),
            DeliveryTables(REBUILD_SCHEMA),
            DocumentTables(self._blobs, outage, REBUILD_SCHEMA),
            EndpointTables(self._blobs, outage, REBUILD_SCHEMA),
        )
        self._readers = [TableReader(tables, self._session, offsets, None, REBUILD_SCHEMA) for tables in self.tables]
        self._positions: list[dict[int, int]] = []

    async def begin(self) -> None:
        """Stands at the oldest record of every partition."""
        for tables, reader in zip(self.tables, self._readers, strict=True):
            partitions = set(await self._offsets.begin_offsets(tables.topic))
            self._positions.append(dict(await reader.assigned(partitions)))

    async def left(self) -> int:
        """How many records are not read yet."""
        left = 0
        for tables, positions in zip(self.tables, self._positions, strict=True):
            ends = await self._offsets.end_offsets(tables.topic)
            left += sum(end - positions[part] for part, end in ends.items())
        self._progress(self.done, self.done + left)
        return left

    async def catch_up(self) -> None:
        """Reads everything up to the ends that there are now."""
        left = await self.left()
        total = self.done + left
        for tables, reader, positions in zip(self.tables, self._readers, self._positions, strict=True):
            ends = await self._offsets.end_offsets(tables.topic)
            async for records in self._offsets.scan(tables.topic, positions, ends):
                if not records:
                    continue
                await reader.handle(records[0].partition, records)
                self.done += len(records)
                self._progress(self.done, max(total, self.done))
            positions.update(ends)

    async def close(self) -> None:
        """Gives back the connection and the threads."""
        await self._session.close()
        await asyncio.to_thread(self._blobs.close)
