"""How far each partition was projected, and whether the log is still the one that this was read from.

The judgement is pure (`divergence`); the rest is thin SQL. Moving a checkpoint on is the reader's, in the
transaction of the rows.
"""

from dataclasses import dataclass

from asyncpg import Connection

from piperoll.log.record import Record
from schemas.topics import FOR_EVER, Topic
from services.projector.jobs.projection import text


class LogDivergedError(RuntimeError):
    """The checkpoint was not made from this log. Going on would mix two histories: rebuild."""


class PositionLostError(RuntimeError):
    """The checkpoint went back behind what was handled. A new start reads on from where it stands."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A row of the checkpoints table. `last_ce_id` is of the record before `next_offset`, None before the first."""

    next_offset: int
    cluster_id: str
    last_ce_id: str | None


@dataclass(frozen=True, slots=True)
class LogView:
    """What the log shows of one partition. `last` is the record before the checkpoint, if it is still there."""

    cluster_id: str
    begin: int
    end: int
    last: Record | None


def divergence(topic: Topic, checkpoint: Checkpoint, view: LogView) -> str | None:
    """Why this checkpoint cannot be of this log, or None. Pure."""
    stands = checkpoint.next_offset
    if checkpoint.cluster_id != view.cluster_id:
        return f"the checkpoint is of the cluster {checkpoint.cluster_id}, this one is {view.cluster_id}"
    if stands > view.end:
        return f"the checkpoint stands at {stands}, the log ends at {view.end}"
    if stands < view.begin and topic.retention_ms == FOR_EVER:
        return f"the checkpoint stands at {stands}, the log begins at {view.begin}"
    if checkpoint.last_ce_id is None or stands - 1 < view.begin:
        return None
    found = "missing" if view.last is None else text(view.last.ce_id)
    if found != checkpoint.last_ce_id:
        return f"the record at {stands - 1} is {found}, it was {checkpoint.last_ce_id}"
    return None


async def take_over(
    connection: Connection, sql: dict[str, str], topic: Topic, cluster_id: str, begins: dict[int, int]
) -> dict[int, Checkpoint]:
    """The checkpoints of the partitions in `begins`, inserted at those offsets where there are none."""
    found = {}
    for partition, begin in sorted(begins.items()):
        await connection.execute(sql["add_checkpoint"], topic.name, partition, begin, cluster_id)
        (row,) = await connection.fetch(sql["read_checkpoint"], topic.name, partition)
        found[partition] = Checkpoint(row["next_offset"], row["cluster_id"], row["last_ce_id"])
    return found
