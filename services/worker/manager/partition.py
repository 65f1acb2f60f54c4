"""The state of one assigned partition. Contains no I/O."""

from dataclasses import dataclass, field

from piperoll.domain.backlog import Backlog
from piperoll.log.backlog_checkpoint import Checkpoint
from services.worker.cleanup.lost_runs import LostRuns


@dataclass(slots=True)
class Partition:
    """A partition of this worker: its open work, its position, and that of its last checkpoint."""

    backlog: Backlog
    next_offset: int
    replay_to: int
    saved_offset: int
    last_ce_id: str = ""
    lost_runs: LostRuns = field(default_factory=LostRuns)

    @property
    def live(self) -> bool:
        """Whether the replay has reached the end at the assignment."""
        return self.next_offset >= self.replay_to

    def checkpoint(self) -> Checkpoint:
        """What is to be stored of it now."""
        return Checkpoint(self.backlog, self.next_offset, self.last_ce_id, self.lost_runs.dump())


def resume(checkpoint: Checkpoint | None, end: int) -> Partition:
    """The position after a checkpoint, or at the partition's beginning."""
    if checkpoint is None:
        return Partition(Backlog(), 0, end, -1)
    offset, backlog = checkpoint.next_offset, checkpoint.backlog
    lost_runs = LostRuns.load(checkpoint.lost_runs, backlog.jobs)
    return Partition(backlog, offset, end, offset, checkpoint.last_ce_id, lost_runs)
