"""The checkpoint and the parked keys of a topic's reader, stored in the transaction of its rows."""

from collections.abc import Collection, Mapping

import asyncpg

from piperoll.log.continuity import LogDivergedError, StoredPosition, divergences, require_position, require_positions
from piperoll.log.contract import LogView, PartitionBusyError
from piperoll.log.parking import ParkedCache, Parking
from piperoll.log.record import Record
from piperoll.postgres import load_queries
from schemas.topics import JOB_EVENTS, Topic
from services.notifier.outbox import Connection

SQL = load_queries("services.notifier", "checkpoints.sql")


class TopicCheckpoints:
    """The checkpoints and parked keys of one topic."""

    def __init__(self, pool: asyncpg.Pool, log: LogView, topic: Topic, cluster_id: str) -> None:
        self._pool = pool
        self._log = log
        self._topic = topic
        self._cluster_id = cluster_id
        self._prefix = "" if topic is JOB_EVENTS else f"{topic.name}/"  # the keys of deliveries are those of jobs
        self._parked = ParkedCache()

    async def take(self, partitions: Collection[int]) -> dict[int, int]:
        """The next offsets of partitions: their checkpoints, or the first records kept. Raises LogDivergedError."""
        begin = await self._begin(partitions)
        rows = await self._pool.fetch(SQL["read_checkpoints"], self._topic.name)
        stored = {
            row["partition"]: StoredPosition(row["next_offset"], row["last_ce_id"], row["cluster_id"])
            for row in rows
            if row["partition"] in partitions
        }
        if wrong := await divergences(self._log, self._topic, stored, self._cluster_id):
            raise LogDivergedError(
                f"the delivery queue was filled from another log than {self._topic.name} ({wrong}): point "
                "PIPEROLL_KAFKA_BOOTSTRAP at the right cluster, or drop the schema notifier to start again"
            )
        return {part: max(one.next_offset, begin[part]) for part, one in stored.items()}

    async def reached(self) -> dict[int, int]:
        """The next offset of every partition, of all processes; the first record kept if there is no checkpoint."""
        await self._begin()
        return await self._next_offsets()

    async def hold(self, connection: Connection) -> dict[int, int]:
        """The next offset of every partition; locks the checkpoints until the transaction ends."""
        rows = await connection.fetch(SQL["hold_checkpoints"], self._topic.name)
        return {row["partition"]: row["next_offset"] for row in rows}

    async def behind(self, targets: dict[int, int]) -> list[int]:
        """The partitions, of all processes, that are not read up to `targets`."""
        reached = await self._next_offsets()
        return [part for part, target in targets.items() if reached.get(part, 0) < target]

    async def confirm(self, handled: Mapping[int, int]) -> None:
        """Raise PositionLostError if a checkpoint is behind the position that this process had handled."""
        require_positions(self._topic, handled, await self._next_offsets())

    async def lock(self, connection: Connection, partition: int, handled: int) -> int:
        """The next offset; locks the checkpoint until the transaction ends.

        Raises PositionLostError if it is behind the position that this process `handled`, and PartitionBusyError.
        """
        try:
            stored = await connection.fetchval(SQL["lock_checkpoint"], self._topic.name, partition)
        except asyncpg.LockNotAvailableError as error:
            raise PartitionBusyError("another session") from error
        return require_position(self._topic, partition, handled, stored)

    async def parked(self, connection: Connection, partition: int, next_offset: int) -> Parking:
        """The parked keys of a partition whose checkpoint is at `next_offset`."""
        if (keys := self._parked.get(partition, next_offset)) is not None:
            return Parking(keys)
        rows = await connection.fetch(SQL["parked"], partition, self._prefix)
        return Parking({row["job_id"].removeprefix(self._prefix) for row in rows})

    def committed(self, last: Record, parking: Parking) -> None:
        """Note the parked keys after a transaction that moved the checkpoint past `last`."""
        self._parked.put(last.partition, last.offset + 1, parking)

    async def park(self, connection: Connection, partition: int, parking: Parking) -> None:
        """Store which keys are parked now, each with its first offset, and which are no longer."""
        if parking.freed:
            await connection.execute(SQL["unpark"], partition, [self._prefix + key for key in parking.freed])
        if parking.keys:
            names = [self._prefix + key for key in parking.keys]
            await connection.execute(SQL["park"], partition, names, list(parking.keys.values()))

    async def advance(self, connection: Connection, last: Record) -> None:
        """Move the checkpoint past `last` when the transaction commits."""
        await connection.execute(
            SQL["advance_checkpoint"], self._topic.name, last.partition, last.offset + 1, last.ce_id
        )

    async def _begin(self, partitions: Collection[int] | None = None) -> dict[int, int]:
        """Create the missing checkpoints of these partitions, or of all; return the first offsets kept."""
        begin = await self._log.begin_offsets(self._topic)
        parts = sorted(begin if partitions is None else partitions)
        starts = [begin[part] for part in parts]
        await self._pool.execute(SQL["begin_checkpoints"], self._topic.name, parts, starts, self._cluster_id)
        return begin

    async def _next_offsets(self) -> dict[int, int]:
        rows = await self._pool.fetch(SQL["read_checkpoints"], self._topic.name)
        return {row["partition"]: row["next_offset"] for row in rows}
