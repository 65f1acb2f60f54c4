"""Whether the log is the one that a position was stored from: not restored, replaced or truncated since.

And whether the store of positions is the one that a reader wrote to, and not an older state of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from piperoll.log.contract import LogView
from piperoll.log.record import Record
from schemas.topics import FOR_EVER, Topic


class LogDivergedError(RuntimeError):
    """A position was not stored from this log. To read on would mix two histories."""


class PositionLostError(RuntimeError):
    """The stored position moved back behind handled records. A restart continues from it."""


def require_position(topic: Topic, partition: int, handled: int, stored: int | None) -> int:
    """Return the stored position. Raises PositionLostError if it is behind what this process handled.

    As after a restore of Postgres, or its failover to a replica that is behind: to continue would skip records.
    """
    if stored is None or stored < handled:
        raise PositionLostError(
            f"{topic.name}, partition {partition}: handled up to {handled}, the checkpoint is at {stored}: Postgres "
            "was restored or failed over to a replica that is behind, and a restart reads from there again"
        )
    return stored


def require_positions(topic: Topic, handled: Mapping[int, int], stored: Mapping[int, int]) -> None:
    """Raise PositionLostError if a partition's stored position is behind what this process had handled before."""
    for partition, offset in sorted(handled.items()):
        require_position(topic, partition, offset, stored.get(partition))


@dataclass(frozen=True, slots=True)
class StoredPosition:
    """How far a partition was read. `last_ce_id` is of the record before `next_offset`, None before the first.

    `cluster_id` is None if it was compared when the position was loaded.
    """

    next_offset: int
    last_ce_id: str | None
    cluster_id: str | None = None


@dataclass(frozen=True, slots=True)
class PartitionView:
    """The current state of one partition. `last` is the record before the stored position, if it still exists."""

    cluster_id: str
    begin: int
    end: int
    last: Record | None


def divergence(topic: Topic, stored: StoredPosition, view: PartitionView) -> str | None:
    """Return why this position cannot be of this log, or None. Pure."""
    stands = stored.next_offset
    if stored.cluster_id not in (None, view.cluster_id):
        return f"the checkpoint is of the cluster {stored.cluster_id}, this one is {view.cluster_id}"
    if stands > view.end:
        return f"the checkpoint is at {stands}, the log ends at {view.end}"
    if stands < view.begin and topic.retention_ms == FOR_EVER:
        return f"the checkpoint is at {stands}, the log begins at {view.begin}"
    if stored.last_ce_id is None or stands - 1 < view.begin:
        return None
    found = "missing" if view.last is None else view.last.ce_id
    if found != stored.last_ce_id:
        return f"the record at {stands - 1} is {found}, it was {stored.last_ce_id}"
    return None


async def divergences(
    log: LogView, topic: Topic, stored: Mapping[int, StoredPosition], cluster_id: str = ""
) -> dict[int, str]:
    """Return why stored positions cannot be of this log, by partition; empty when all of them are."""
    begins, ends = await log.begin_offsets(topic), await log.end_offsets(topic)
    wanted = {
        part: one.next_offset - 1
        for part, one in stored.items()
        if one.last_ce_id is not None and begins[part] < one.next_offset <= ends[part]
    }
    found = await log.read_range(topic, wanted, {part: offset + 1 for part, offset in wanted.items()})
    last = {record.partition: record for record in found}
    views = {part: PartitionView(cluster_id, begins[part], ends[part], last.get(part)) for part in stored}
    return {part: why for part, one in sorted(stored.items()) if (why := divergence(topic, one, views[part]))}
