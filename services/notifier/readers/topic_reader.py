"""Common to the readers of all topics: rows, parked keys and checkpoint of a poll in one transaction."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Generic, TypeVar

import asyncpg
import structlog

from piperoll.log.confirmation import Confirmation
from piperoll.log.contract import PartitionBusyError
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.parking import Parking, refuse
from piperoll.log.record import Record
from piperoll.outages import Outage
from piperoll.postgres import holders, refuses_a_value
from piperoll.store.blobs import BlobUnreadableError
from services.notifier import metrics
from services.notifier.checkpoints import TopicCheckpoints
from services.notifier.outbox import TRANSIENT, Connection
from services.notifier.readers.server import PostgresServer

log = structlog.get_logger()
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReaderContext:
    """The dependencies of all readers."""

    pool: asyncpg.Pool
    dead_letters: DeadLetters
    stopping: asyncio.Event
    server: PostgresServer


class NotifierTopicReader(ABC, Generic[T]):
    """A Reader (piperoll.log.contract). A transaction begins at the checkpoint.

    Memory holds the parked keys, and the handled positions to detect that the checkpoint moved back.
    """

    group: ClassVar[str]

    def __init__(self, context: ReaderContext, checkpoints: TopicCheckpoints) -> None:
        self._context = context
        self._checkpoints = checkpoints
        self._handled: dict[int, int] = {}
        self._confirmation = Confirmation()
        self.outage = Outage("Postgres or the blob store", context.stopping)

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        """Return the checkpoints, or the first records kept; wait during outages of Postgres."""
        positions = await self.outage.outlast(partial(self._checkpoints.take, partitions))
        self._handled.update(positions)
        return positions

    async def revoked(self, partitions: set[int]) -> None:
        """Forget the positions; the checkpoints are stored."""
        for part in partitions:
            self._handled.pop(part, None)

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        """Handle one partition's poll; wait during outages of the stores and the log.

        Raises PartitionBusyError while another process holds the checkpoint, PositionLostError, and UnknownEventError,
        before anything is written.
        """
        try:
            await self.outage.outlast(partial(self._take_in, partition, records))
        except PartitionBusyError as busy:
            raise PartitionBusyError(await self.outage.outlast(self._holders)) from busy
        except (asyncpg.PostgresError, asyncpg.InterfaceError, BlobUnreadableError) as error:
            unusable = isinstance(error, BlobUnreadableError) or refuses_a_value(error)
            if not unusable or (len(records) == 1 and records[0].refused):
                raise
            await self._part(partition, records, error)
        self._handled[partition] = records[-1].offset + 1

    async def confirm(self) -> None:
        """Compare the checkpoints with the handled positions, at intervals and on another server of Postgres.

        Raises PositionLostError. An outage puts it off.
        """
        generation = self._context.server.generation
        if not self._confirmation.due(generation):
            return
        try:
            await self._checkpoints.confirm(dict(self._handled))
        except TRANSIENT:
            self._confirmation.put_off(generation)
        else:
            self._confirmation.done(generation)

    async def _holders(self) -> str:
        async with self._context.pool.acquire() as connection:
            return await holders(connection, "notifier.checkpoints")

    async def _part(self, partition: int, records: Sequence[Record], error: Exception) -> None:
        """Find by halves the record that cannot be handled, and park it."""
        if len(records) == 1:
            await self.handle(partition, [refuse(records[0], f"the notifier cannot store what it needs: {error}")])
            return
        log.warning("poll_refused", group=self.group, partition=partition, records=len(records), error=repr(error))
        middle = len(records) // 2
        await self.handle(partition, records[:middle])
        await self.handle(partition, records[middle:])

    async def _take_in(self, partition: int, records: Sequence[Record]) -> None:
        found = await self._read(records)
        async with self._context.pool.acquire() as connection, connection.transaction():
            start = await self._checkpoints.lock(connection, partition, self._handled.get(partition, 0))
            fresh = [record for record in records if record.offset >= start]
            if not fresh:
                return  # another process read the partition meanwhile
            parking = await self._checkpoints.parked(connection, partition, start)
            announce = await self._write(connection, partition, fresh, parking, found)
            await self._context.dead_letters.park_all(self.group, parking.letters)
            await self._checkpoints.park(connection, partition, parking)
            await self._checkpoints.advance(connection, fresh[-1])
        self._checkpoints.committed(fresh[-1], parking)
        for record, _ in parking.letters:
            metrics.PARKED.labels(record.topic).inc()
        announce()

    @abstractmethod
    async def _read(self, records: Sequence[Record]) -> T:
        """Read what the transaction needs from the blob store and the log."""

    @abstractmethod
    async def _write(
        self, connection: Connection, partition: int, records: Sequence[Record], parking: Parking, found: T
    ) -> Callable[[], None]:
        """Write the effects of `records`; return a function that wakes the dispatchers after the commit."""
