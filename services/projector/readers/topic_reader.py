"""The reader of one topic: a poll of a partition becomes rows and a moved checkpoint, in one transaction.

Each transaction locks and reads the checkpoint row, and continues from there. The offsets in memory serve only to
detect that the row was set back. A `TopicWriter` turns the records into rows.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol

import asyncpg
import structlog
from asyncpg import Connection, InterfaceError, LockNotAvailableError

from piperoll.log.confirmation import Confirmation
from piperoll.log.continuity import LogDivergedError, divergences, require_position, require_positions
from piperoll.log.contract import LogView, PartitionBusyError
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.parking import Decoded, Parking, decode, refuse
from piperoll.log.record import Record
from piperoll.outages import OUTAGES
from piperoll.postgres import holders, refuses_a_value
from schemas.envelope import Fact
from schemas.read_model_names import READ_SCHEMA
from schemas.topics import Topic
from services.projector import metrics
from services.projector.database.schema import queries
from services.projector.database.session import Session
from services.projector.readers import checkpoints
from services.projector.readers.expiry import Expiry
from services.projector.readers.parking import ParkedKeys

log = structlog.get_logger()

Write = Callable[[Connection, int, Sequence[tuple[Fact, int]]], Awaitable[None]]
"""Writes the effects of new facts of one partition, each with its offset, in the checkpoint's transaction."""


class TopicWriter(Protocol):
    """What writes a topic's facts to its tables. `alias` is the topic's short name in notifications and metrics.

    `parked_prefix` marks the topic's parked keys, if another topic has the same keys. `expiry` names the statement that
    deletes rows of records before an offset, for a topic that does not keep all.
    """

    topic: Topic
    alias: str
    parked_prefix: str = ""
    expiry: str | None = None

    def units(self, entries: Sequence[Decoded]) -> Iterable[Sequence[Decoded]]:
        """Split a poll into one group of entries for each transaction; by default a single group."""
        return [entries] if entries else []

    async def prepare(self, facts: Sequence[Fact]) -> Write:
        """Read from the blob store what the transaction needs; return the function that writes the rows in it."""
        ...


class ProjectorTopicReader:
    """A `piperoll.log.contract.Reader` that writes to the tables of `schema`."""

    def __init__(
        self,
        writer: TopicWriter,
        session: Session,
        offsets: LogView,
        dead_letters: DeadLetters | None,
        schema: str = READ_SCHEMA,
    ) -> None:
        self._writer = writer
        self._session = session
        self._offsets = offsets
        self._schema = schema
        self._parked = ParkedKeys(dead_letters, writer.parked_prefix, schema)
        self._sql = queries("queries.sql", schema)
        self._handed: dict[int, int] = {}
        statement = None if writer.expiry is None else self._sql[writer.expiry]
        self._expiry = Expiry(session, offsets, writer.topic, statement)
        self._confirmation = Confirmation()
        self.lag = metrics.Lag(writer.alias)

    @property
    def partitions(self) -> list[int]:
        """The partitions that this process reads."""
        return list(self._handed)

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        """Return the offsets to read from. Raises LogDivergedError if the checkpoints belong to another log."""
        topic = self._writer.topic
        cluster_id = await self._offsets.cluster_id()
        begins = await self._offsets.begin_offsets(topic)
        mine = {part: begins[part] for part in partitions}
        stored = await self._session.transaction(
            lambda connection: checkpoints.read_or_add(connection, self._sql, topic, cluster_id, mine)
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
        """Forget the partitions. Their checkpoints are in Postgres."""
        for part in partitions:
            self._handed.pop(part, None)
            self.lag.forget(part)

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        """Project a poll. Waits during outages of Postgres or the blob store.

        Raises PartitionBusyError while another process holds the checkpoint, PositionLostError when it moved back, and
        UnknownEventError, before anything is projected, if an event of a later release is among the records.
        """
        for unit in self._writer.units([decode(record) for record in records]):
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
            log.warning("unit_refused", topic=self._writer.alias, partition=partition, records=len(unit))
            middle = len(unit) // 2
            await self._account(partition, unit[:middle])
            await self._account(partition, unit[middle:])

    async def _transact(self, partition: int, unit: Sequence[Decoded]) -> None:
        began = time.perf_counter()
        write = await self._writer.prepare([entry.fact for entry in unit if entry.fact is not None])
        try:
            parking = await self._session.transaction(partial(self._project, partition, unit, write))
        except PartitionBusyError as busy:
            table = f"{self._schema}.checkpoints"
            raise PartitionBusyError(await self._session.transaction(partial(holders, table=table))) from busy
        self._handed[partition] = next_offset = unit[-1].record.offset + 1
        if parking is not None:
            self._parked.committed(partition, next_offset, parking)
        metrics.projected(self._writer.alias, len(unit), time.perf_counter() - began)

    async def confirm(self) -> None:
        """Compare the checkpoints with the handled positions, at intervals and over each new connection.

        Deletes a part of what a rebuild would no longer find, too. Raises PositionLostError. An outage puts both off.
        """
        if not self._handed:
            return
        await self._expiry.step(self._handed)
        if not self._confirmation.due(self._session.generation):
            return
        topic = self._writer.topic
        try:
            stored = await self._session.once(partial(checkpoints.read, sql=self._sql, topic=topic))
        except (*OUTAGES, InterfaceError):
            self._confirmation.put_off(self._session.generation)
        else:
            require_positions(topic, self._handed, stored)
            self._confirmation.done(self._session.generation)

    async def _project(
        self, partition: int, entries: Sequence[Decoded], write: Write, connection: Connection
    ) -> Parking | None:
        """Return the parked keys after the transaction; None if another process projected the entries."""
        topic = self._writer.topic.name
        stored = await self._lock(connection, partition)
        next_offset = require_position(self._writer.topic, partition, self._handed.get(partition, 0), stored)
        new = [entry for entry in entries if entry.record.offset >= next_offset]
        if not new:
            return None
        parking = await self._parked.load(connection, partition, next_offset)
        await write(connection, partition, list(parking.sift(new)))
        await self._parked.save(connection, partition, parking)
        last = new[-1].record
        await connection.execute(
            self._sql["advance"], topic, partition, last.offset + 1, last.ce_id, self._writer.alias
        )
        return parking

    async def _lock(self, connection: Connection, partition: int) -> int | None:
        try:
            found: int | None = await connection.fetchval(
                self._sql["lock_checkpoint"], self._writer.topic.name, partition
            )
        except LockNotAvailableError as error:
            raise PartitionBusyError("another session") from error
        return found

    async def _beginning(self, partition: int, next_offset: int, begin: int) -> int:
        """The offset to read from, past records that the log no longer holds."""
        if next_offset >= begin:
            return next_offset
        topic = self._writer.topic.name
        log.warning("records_expired", topic=topic, partition=partition, checkpoint=next_offset, begin=begin)
        await self._session.transaction(
            lambda connection: connection.execute(self._sql["move_checkpoint"], topic, partition, begin)
        )
        return begin
