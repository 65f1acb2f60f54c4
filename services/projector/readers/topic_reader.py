"""The reader of one topic: a poll of a partition becomes rows and a moved checkpoint, in one transaction.

Trusts only the checkpoint row, read under its lock in each transaction; what is in memory serves to notice that
the row went back. What the records mean is for `Tables`.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol

import structlog
from asyncpg import Connection

from piperoll.log.kafka import KafkaOffsets
from piperoll.log.record import Record
from schemas.read_model import READ_SCHEMA
from schemas.topics import Topic
from services.projector import metrics
from services.projector.jobs.projection import Entry, decode_poll, fresh, text
from services.projector.readers import checkpoints
from services.projector.readers.checkpoints import Checkpoint, LogDivergedError, LogView, PositionLostError
from services.projector.tables.schema import queries
from services.projector.tables.session import Session

log = structlog.get_logger()

Write = Callable[[Connection, int, Sequence[Entry]], Awaitable[None]]
"""Writes what entries of one partition, all of them new, mean. Runs in the transaction that moves the checkpoint."""


class Tables(Protocol):
    """What a topic's records are folded into. `alias` is the topic's short name in notifications and metrics."""

    topic: Topic
    alias: str

    def units(self, entries: Sequence[Entry]) -> Iterable[Sequence[Entry]]:
        """Cuts a poll into transactions of a bearable size."""
        ...

    async def prepare(self, entries: Sequence[Entry]) -> Write:
        """Reads what the transaction will need from elsewhere, before it begins; answers what to do in it."""
        ...


class TableReader:
    """A `piperoll.log.contract.Reader` over tables of `schema`."""

    def __init__(self, tables: Tables, session: Session, offsets: KafkaOffsets, schema: str = READ_SCHEMA) -> None:
        self._tables = tables
        self._session = session
        self._offsets = offsets
        self._sql = queries("queries.sql", schema)
        self._handed: dict[int, int] = {}
        self.lag = metrics.Lag(tables.alias)

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        """The stored offsets, once the log is seen to be the one they were stored from.

        Raises LogDivergedError, which stops the service: only a rebuild helps.
        """
        topic = self._tables.topic
        cluster_id = await self._offsets.cluster_id()
        begins = await self._offsets.begin_offsets(topic)
        ends = await self._offsets.end_offsets(topic)
        mine = {part: begins[part] for part in partitions}
        stored = await self._session.transaction(
            lambda connection: checkpoints.take_over(connection, self._sql, topic, cluster_id, mine)
        )
        last = await self._last_records(stored, begins, ends)
        for part, checkpoint in stored.items():
            view = LogView(cluster_id, begins[part], ends[part], last.get(part))
            if problem := checkpoints.divergence(topic, checkpoint, view):
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
        """Forgets the partitions; everything about them is stored."""
        for part in partitions:
            self._handed.pop(part, None)
            self.lag.forget(part)

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        """Projects a poll. Waits for as long as Postgres or the blob store is away.

        Raises PositionLostError when the checkpoint went back, and UnknownEventError at an event of a later
        release, once what stands before it is projected.
        """
        entries, unknown = decode_poll(records)
        for unit in self._tables.units(entries):
            began = time.perf_counter()
            write = await self._tables.prepare(unit)
            await self._session.transaction(partial(self._project, partition, unit, write))
            self._handed[partition] = unit[-1].record.offset + 1
            metrics.projected(self._tables.alias, len(unit), time.perf_counter() - began)
        if unknown is not None:
            raise unknown

    async def _project(self, partition: int, entries: Sequence[Entry], write: Write, connection: Connection) -> None:
        topic = self._tables.topic.name
        next_offset = await connection.fetchval(self._sql["lock_checkpoint"], topic, partition)
        handed = self._handed.get(partition, 0)
        if next_offset is None or next_offset < handed:
            raise PositionLostError(
                f"{topic}, partition {partition}: handled up to {handed}, the checkpoint stands at {next_offset}"
            )
        new = fresh(entries, next_offset)
        if not new:
            return
        await write(connection, partition, new)
        last = new[-1].record
        await connection.execute(
            self._sql["advance"], topic, partition, last.offset + 1, text(last.ce_id), self._tables.alias
        )

    async def _last_records(
        self, stored: Mapping[int, Checkpoint], begins: Mapping[int, int], ends: Mapping[int, int]
    ) -> dict[int, Record]:
        """Of each partition the record before its checkpoint, where it is still kept; one consumer reads all."""
        wanted = {
            part: checkpoint.next_offset - 1
            for part, checkpoint in stored.items()
            if checkpoint.last_ce_id is not None and begins[part] < checkpoint.next_offset <= ends[part]
        }
        stops = {part: offset + 1 for part, offset in wanted.items()}
        found = await self._offsets.read_range(self._tables.topic, wanted, stops)
        return {record.partition: record for record in found}

    async def _beginning(self, partition: int, next_offset: int, begin: int) -> int:
        """The offset to read from; past what the log no longer holds."""
        if next_offset >= begin:
            return next_offset
        topic = self._tables.topic.name
        log.warning("records_expired", topic=topic, partition=partition, checkpoint=next_offset, begin=begin)
        await self._session.transaction(
            lambda connection: connection.execute(self._sql["move_checkpoint"], topic, partition, begin)
        )
        return begin
