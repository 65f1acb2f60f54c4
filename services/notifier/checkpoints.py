"""Positions in the queue's own transactions: where a partition of a topic goes on, and whether it is the same log."""

from collections.abc import AsyncGenerator, Collection
from datetime import datetime
from typing import Protocol

import asyncpg

from piperoll.log.record import Record
from schemas.topics import Topic
from services.notifier.hooks.queue import SQL, Connection


class LogDivergedError(RuntimeError):
    """The schema `notifier` belongs to another log than the one that is being read."""


class LogView(Protocol):
    """What is asked of the log beside reading it; piperoll.log.kafka.KafkaOffsets answers it."""

    async def begin_offsets(self, topic: Topic) -> dict[int, int]:
        """The first offset kept, per partition."""
        ...

    async def end_offsets(self, topic: Topic) -> dict[int, int]:
        """The offset that the next record will get, per partition."""
        ...

    async def read_range(
        self, topic: Topic, begin: dict[int, int], end: dict[int, int], limit: int | None = None
    ) -> list[Record]:
        """The records from `begin` up to but not including `end`."""
        ...

    def scan(self, topic: Topic, begin: dict[int, int], end: dict[int, int]) -> AsyncGenerator[list[Record], None]:
        """The same, in lists of records of one partition each."""
        ...

    async def offsets_at(self, topic: Topic, time: datetime) -> dict[int, int]:
        """Per partition, the first offset appended at `time` or later; the end where there is none."""
        ...


class Checkpoints:
    """The checkpoints of one topic."""

    def __init__(self, pool: asyncpg.Pool, log: LogView, topic: Topic, cluster_id: str) -> None:
        self._pool = pool
        self._log = log
        self._topic = topic
        self._cluster_id = cluster_id

    async def take(self, partitions: Collection[int]) -> dict[int, int]:
        """Where to read each partition from: its checkpoint, or the first record kept. Raises LogDivergedError."""
        begin = await self._log.begin_offsets(self._topic)
        parts = sorted(partitions)
        starts = [begin[part] for part in parts]
        await self._pool.execute(SQL["begin_checkpoints"], self._topic.name, parts, starts, self._cluster_id)
        rows = await self._pool.fetch(SQL["read_checkpoints"], self._topic.name)
        mine = {row["partition"]: row for row in rows if row["partition"] in partitions}
        await self._verify(mine, begin)
        return {part: max(row["next_offset"], begin[part]) for part, row in mine.items()}

    async def reached(self) -> dict[int, int]:
        """How far every partition was read, by any process; the first record kept where none was."""
        begin = await self._log.begin_offsets(self._topic)
        parts = sorted(begin)
        starts = [begin[part] for part in parts]
        await self._pool.execute(SQL["begin_checkpoints"], self._topic.name, parts, starts, self._cluster_id)
        rows = await self._pool.fetch(SQL["read_checkpoints"], self._topic.name)
        return {row["partition"]: row["next_offset"] for row in rows}

    async def hold(self, connection: Connection) -> dict[int, int]:
        """How far every partition was read, kept there until the transaction ends."""
        rows = await connection.fetch(SQL["hold_checkpoints"], self._topic.name)
        return {row["partition"]: row["next_offset"] for row in rows}

    async def behind(self, targets: dict[int, int]) -> list[int]:
        """The partitions, of any process, that are not read up to `targets`."""
        rows = await self._pool.fetch(SQL["read_checkpoints"], self._topic.name)
        reached = {row["partition"]: row["next_offset"] for row in rows}
        return [part for part, target in targets.items() if reached.get(part, 0) < target]

    async def lock(self, connection: Connection, partition: int) -> int:
        """The offset to go on from, kept from other readers until the transaction ends."""
        return int(await connection.fetchval(SQL["lock_checkpoint"], self._topic.name, partition))

    async def advance(self, connection: Connection, last: Record) -> None:
        """Everything up to and including `last` is accounted for, once the transaction commits."""
        await connection.execute(
            SQL["advance_checkpoint"], self._topic.name, last.partition, last.offset + 1, last.ce_id
        )

    async def _verify(self, rows: dict[int, asyncpg.Record], begin: dict[int, int]) -> None:
        """Compares the cluster, the ends and the last record handled with what the checkpoints say."""
        strangers = [part for part, row in rows.items() if row["cluster_id"] != self._cluster_id]
        end = await self._log.end_offsets(self._topic)
        beyond = [part for part, row in rows.items() if row["next_offset"] > end[part]]
        kept = {
            part: row["next_offset"] - 1
            for part, row in rows.items()
            if row["last_ce_id"] is not None and begin[part] < row["next_offset"] <= end[part]
        }
        last = await self._log.read_range(self._topic, kept, {part: offset + 1 for part, offset in kept.items()})
        other = [record.partition for record in last if record.ce_id != rows[record.partition]["last_ce_id"]]
        if wrong := sorted({*strangers, *beyond, *other}):
            raise LogDivergedError(
                f"the delivery queue belongs to another log than {self._topic.name} (partitions {wrong}): point "
                "PIPEROLL_KAFKA_BOOTSTRAP at the right cluster, or drop the schema notifier to begin anew"
            )
