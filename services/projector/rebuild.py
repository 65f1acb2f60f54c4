"""`piperoll rebuild`: a new read model from offset 0, built beside the old one, which serves until the swap.

It uses the fold, readers and statements of the live projector, in another schema. At the swap the projectors are
locked out while the last records are read; then they continue from the checkpoints of the new tables.
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
from piperoll.log.stops import SkippedRecords, Stops
from piperoll.outages import Outage
from piperoll.postgres import MIGRATION_LOCK, load_queries
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.envelope import UnknownEventError
from schemas.read_model_names import READ_SCHEMA
from services.projector.deliveries.tables import DeliveryTables
from services.projector.documents.tables import DocumentTables
from services.projector.endpoints.tables import EndpointTables
from services.projector.jobs.tables import JobTables
from services.projector.readers.topic_reader import TableReader, Tables
from services.projector.tables.schema import REBUILD_SCHEMA, create_tables, has_other_shape, migrate_live, queries
from services.projector.tables.session import Session

log = structlog.get_logger()

REBUILD_LOCK = 0x72656275696C64  # any number, the same in every process
NEAR_RECORDS = 2000  # records left for the time in which the projectors wait: a fraction of a second
FENCE_S = 60.0  # a projector's transaction ends long before

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

    If interrupted, the old one stays in use; the next rebuild cleans up. Raises RebuildRunningError, OSError or
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
    """Create empty tables beside the live ones, which are created too if missing."""
    if not await connection.fetchval(sql["lock_rebuild"], REBUILD_LOCK):
        raise RebuildRunningError("another rebuild of this read model is running: wait until it has ended")
    await connection.execute(sql["drop_leftovers"])
    if not await has_other_shape(connection):  # such tables are only replaced: this version cannot write them
        async with connection.transaction():
            await migrate_live(connection)
    await create_tables(connection, REBUILD_SCHEMA)


async def _swap(connection: Connection, sql: Mapping[str, str], filling: "Filling") -> None:
    """Lock out the projectors, read the last records, rename the schemas. One transaction."""
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
    """Reads all topics from their beginnings into the new schema. Parks no record again, sends no notification."""

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
        self._stops = Stops("rebuild", SkippedRecords(self._blobs), None)
        self._positions: list[dict[int, int]] = []

    async def begin(self) -> None:
        """Start at the oldest record of every partition."""
        for tables, reader in zip(self.tables, self._readers, strict=True):
            partitions = set(await self._offsets.begin_offsets(tables.topic))
            self._positions.append(dict(await reader.assigned(partitions)))

    async def left(self) -> int:
        """The number of records that are not read yet."""
        left = 0
        for tables, positions in zip(self.tables, self._positions, strict=True):
            ends = await self._offsets.end_offsets(tables.topic)
            left += sum(end - positions[part] for part, end in ends.items())
        self._progress(self.done, self.done + left)
        return left

    async def catch_up(self) -> None:
        """Read up to the current ends. Raises UnknownEventError."""
        left = await self.left()
        total = self.done + left
        for tables, reader, positions in zip(self.tables, self._readers, self._positions, strict=True):
            ends = await self._offsets.end_offsets(tables.topic)
            async for records in self._offsets.scan(tables.topic, positions, ends):
                if not records:
                    continue
                part = records[0].partition
                if await self._stops.handle(reader, part, records) is not None:
                    raise UnknownEventError(f"{tables.topic.name} cannot be read on: {self._stops.problem()}")
                self.done += len(records)
                self._progress(self.done, max(total, self.done))
            positions.update(ends)

    async def close(self) -> None:
        """Release the connection and the threads."""
        await self._session.close()
        await asyncio.to_thread(self._blobs.close)
