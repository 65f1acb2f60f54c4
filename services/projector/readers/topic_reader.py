"""The reader of one topic: a poll of a partition becomes rows and a moved checkpoint, in one transaction.

It relies only on the checkpoint row, read under its lock in each transaction; the state in memory only detects that
the row moved back. `Tables` gives the records their meaning.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol

import asyncpg
import structlog
from asyncpg import Connection

from piperoll.log.continuity import LogDivergedError, divergences
from piperoll.log.contract import LogView
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.parking import Decoded, Parking, decode, refuse
from piperoll.log.record import Record
from piperoll.postgres import refuses_a_value
from schemas.envelope import Fact
from schemas.read_model_names import READ_SCHEMA
from schemas.topics import Topic
from services.projector import metrics
from services.projector.readers import checkpoints
from services.projector.readers.checkpoints import PositionLostError
from services.projector.readers.parking import ParkedKeys
from services.projector.tables.schema import queries
from services.projector.tables.session import Session

log = structlog.get_logger()

Write = Callable[[Connection, int, Sequence[tuple[Fact, int]]], Awaitable[None]]
"""Writes the effects of new facts of one partition, each with its offset, in the checkpoint's transaction."""


class Tables(Protocol):
    """The tables of a topic. `alias` is the topic's short name in notifications and metrics.

    `parked_prefix` marks the topic's parked keys, if another topic has the same keys.
    """

    topic: Topic
    alias: str
    parked_prefix: str = ""

    def units(self, entries: Sequence[Decoded]) -> Iterable[Sequence[Decoded]]:
        """Split a poll into transactions of limited size: by default a whole poll is one."""
        return [entries] if entries else []

    async def prepare(self, facts: Sequence[Fact]) -> Write:
        """Read what the transaction needs from elsewhere, before it begins; return what it writes."""
        ...


class TableReader:
    """A `piperoll.log.contract.Reader` over tables of `schema`."""

    def __init__(
        self,
        tables: Tables,
        session: Session,
        offsets: LogView,
        dead_letters: DeadLetters | None,
        schema: str = READ_SCHEMA,
    ) -> None:
        self._tables = tables
        self._session = session
        self._offsets = offsets
        self._parked = ParkedKeys(dead_letters, tables.parked_prefix, schema)
        self._sql = queries("queries.sql", schema)
        self._handed: dict[int, int] = {}
        self.lag = metrics.Lag(tables.alias)

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        """The stored offsets, if they are of this log. Raises LogDivergedError, which only a rebuild resolves."""
        topic = self._tables.topic
        cluster_id = await self._offsets.cluster_id()
        begins = await self._offsets.begin_offsets(topic)
        mine = {part: begins[part] for part in partitions}
        stored = await self._session.transaction(
            lambda connection: checkpoints.take_over(connection, self._sql, topic, cluster_id, mine)
        )
        for part, problem in (await divergences(self._offsets, topic, stored, cluster_id)).items():
            raise LogDivergedError(
                f"log diverged: rebuild ({topic.name}, partition {part}: {problem}; `piperoll rebuild` "
                "makes a new read model from this log)"
            )
        positions = {
            part: await self._beginning(part, checkpoint.next_offset, begins[part])
            for part, checkpoint in stored.items()
        }
        self._handed.update(positions)
        return positions

    async def revoked(self, partitions: set[int]) -> None:
        """Forget the partitions; all about them is stored."""
        for part in partitions:
            self._handed.pop(part, None)
            self.lag.forget(part)

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        """Project a poll. Waits during outages of Postgres or the blob store.

        Raises PositionLostError when the checkpoint moved back, and UnknownEventError, before anything is projected, if
        an event of a later release is among the records.
        """
        for unit in self._tables.units([decode(record) for record in records]):
            await self._account(partition, unit)

    async def _account(self, partition: int, unit: Sequence[Decoded]) -> None:
        """Project one unit; if a value in it cannot be stored, find that record by halves and park it."""
        try:
            await self._transact(partition, unit)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if not refuses_a_value(error) or (len(unit) == 1 and unit[0].record.refused):
                raise
            if len(unit) == 1:
                await self._transact(partition, [decode(refuse(unit[0].record, f"Postgres refuses it: {error}"))])
                return
            log.warning("unit_refused", topic=self._tables.alias, partition=partition, records=len(unit))
            middle = len(unit) // 2
            await self._account(partition, unit[:middle])
            await self._account(partition, unit[middle:])

    async def _transact(self, partition: int, unit: Sequence[Decoded]) -> None:
        began = time.perf_counter()
        write = await self._tables.prepare([entry.fact for entry in unit if entry.fact is not None])
        parking = await self._session.transaction(partial(self._project, partition, unit, write))
        self._handed[partition] = next_offset = unit[-1].record.offset + 1
        if parking is not None:
            self._parked.committed(partition, next_offset, parking)
        metrics.projected(self._tables.alias, len(unit), time.perf_counter() - began)

    async def _project(
        self, partition: int, entries: Sequence[Decoded], write: Write, connection: Connection
    ) -> Parking | None:
        """Return the parked keys after the transaction; None if another process projected the entries."""
        topic = self._tables.topic.name
        next_offset = await connection.fetchval(self._sql["lock_checkpoint"], topic, partition)
        handed = self._handed.get(partition, 0)
        if next_offset is None or next_offset < handed:
            raise PositionLostError(
                f"{topic}, partition {partition}: handled up to {handed}, the checkpoint is at {next_offset}"
            )
        new = [entry for entry in entries if entry.record.offset >= next_offset]
        if not new:
            return None
        parking = await self._parked.load(connection, partition, next_offset)
        await write(connection, partition, list(parking.sift(new)))
        await self._parked.save(connection, partition, parking)
        last = new[-1].record
        await connection.execute(
            self._sql["advance"], topic, partition, last.offset + 1, last.ce_id, self._tables.alias
        )
        return parking

    async def _beginning(self, partition: int, next_offset: int, begin: int) -> int:
        """The offset to read from, past records that the log no longer holds."""
        if next_offset >= begin:
            return next_offset
        topic = self._tables.topic.name
        log.warning("records_expired", topic=topic, partition=partition, checkpoint=next_offset, begin=begin)
        await self._session.transaction(
            lambda connection: connection.execute(self._sql["move_checkpoint"], topic, partition, begin)
        )
        return begin
