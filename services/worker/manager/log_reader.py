"""Reads the partitions: folds each record into its partition's backlog and passes the change to the runner.

It never waits for a job. A partition is first replayed, from its checkpoint to its end at the assignment, without
starting jobs; then its open jobs go to the runner at once, and later changes fact by fact.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from piperoll.clock import Clock, happens_within
from piperoll.domain.backlog import Backlog
from piperoll.log.backlog_checkpoint import Checkpoint, CheckpointError, Checkpoints
from piperoll.log.continuity import StoredPosition, divergences
from piperoll.log.contract import LogView
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.parking import Parking, decode
from piperoll.log.record import Record
from piperoll.store.blobs import BlobStoreError
from schemas.envelope import Fact
from schemas.events import BATCH_EVENTS, BatchExpanded
from schemas.topics import JOB_EVENTS
from services.worker import metrics
from services.worker.cleanup.erasure import Eraser
from services.worker.manager.batch_expander import Expander
from services.worker.manager.runner import Runner

log = structlog.get_logger()


@dataclass(slots=True)
class Partition:
    """A partition of this worker: its open work, and its position."""

    backlog: Backlog
    next_offset: int
    replay_to: int
    saved_offset: int
    last_ce_id: str = ""

    @property
    def live(self) -> bool:
        """Whether the replay has reached the end at the assignment."""
        return self.next_offset >= self.replay_to


class PartitionReader:
    """The worker's Reader (piperoll.log.contract)."""

    def __init__(
        self,
        runner: Runner,
        expander: Expander,
        checkpoints: Checkpoints,
        history: LogView,
        dead_letters: DeadLetters,
        eraser: Eraser,
        clock: Clock,
    ) -> None:
        self._runner = runner
        self._expander = expander
        self._checkpoints = checkpoints
        self._history = history
        self._dead_letters = dead_letters
        self._eraser = eraser
        self._clock = clock
        self._partitions: dict[int, Partition] = {}
        self.draining = False

    def problem(self) -> str | None:
        """A sentence while a partition is still being replayed."""
        behind = [part for part, state in self._partitions.items() if not state.live]
        return f"partitions {behind} are being replayed" if behind else None

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        """Load each partition's checkpoint; return the offsets to read from."""
        ends = await self._history.end_offsets(JOB_EVENTS)
        loaded = {part: await self._load(part) for part in partitions}
        stored = {part: StoredPosition(one.next_offset, one.last_ce_id or None) for part, one in loaded.items() if one}
        diverged = await divergences(self._history, JOB_EVENTS, stored)
        for part, why in diverged.items():
            log.warning("checkpoint_passed_over", partition=part, error=why)
        for part, checkpoint in loaded.items():
            state = _resume(None if part in diverged else checkpoint, ends.get(part, 0))
            self._partitions[part] = state
            if state.live:
                self._go_live(part, state)
        return {part: self._partitions[part].next_offset for part in partitions}

    async def revoked(self, partitions: set[int]) -> None:
        """Give up the work of the partitions and write a new checkpoint for their next owner."""
        self._expander.stop(partitions)
        await self._runner.release(partitions, "drain" if self.draining else "rebalance")
        for part in partitions & set(self._partitions):
            await self._save(part, self._partitions.pop(part))
            metrics.OPEN_JOBS.labels(part).set(0)

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        """Fold records. Raises UnknownEventError, after what precedes the event was folded: it stops the partition."""
        state = self._partitions[partition]
        for record in records:
            if record.offset < state.next_offset:
                continue
            was_live = state.live
            parking = Parking(state.backlog.parked)
            if (fact := parking.admit(decode(record))) is not None:
                self._fold(partition, state, fact)
                self._erase_what_is_heard_of(state, fact)
            await self._park(state, parking)
            state.next_offset = record.offset + 1
            if state.live and not was_live:
                self._go_live(partition, state)
        state.last_ce_id = records[-1].ce_id
        metrics.OPEN_JOBS.labels(partition).set(len(state.backlog.jobs))

    def live(self) -> Mapping[int, Backlog]:
        """The backlogs of this worker's replayed partitions."""
        return {part: state.backlog for part, state in self._partitions.items() if state.live}

    async def save_checkpoints(self) -> None:
        """Write the checkpoint of every partition that moved since its last one."""
        for part, state in list(self._partitions.items()):
            if state.live and state.next_offset != state.saved_offset:
                state.backlog.forget_ended(self._clock())
                await self._save(part, state)

    async def _load(self, part: int) -> Checkpoint | None:
        try:
            return await self._checkpoints.load(part)
        except (CheckpointError, BlobStoreError) as error:  # then the whole history is read, which takes longer
            log.warning("checkpoint_passed_over", partition=part, error=str(error))
            return None

    async def _save(self, part: int, state: Partition) -> None:
        offset = state.next_offset
        try:
            await self._checkpoints.save(part, state.backlog, offset, state.last_ce_id)
        except BlobStoreError as error:
            # An older checkpoint is kept: slower to start from, but not wrong.
            metrics.CHECKPOINTS.labels("failed").inc()
            log.warning("checkpoint_not_written", partition=part, error=str(error))
            return
        metrics.CHECKPOINTS.labels("written").inc()
        state.saved_offset = offset

    async def _park(self, state: Partition, parking: Parking) -> None:
        for record, why in parking.letters:
            metrics.PARKED.inc()
            log.error("record_parked", position=str(record.position), why=why[:500])
            await self._dead_letters.park("worker", record, why)
        state.backlog.parked.difference_update(parking.freed)
        state.backlog.parked.update(parking.keys)

    def _fold(self, partition: int, state: Partition, fact: Fact) -> None:
        if isinstance(fact.data, BATCH_EVENTS):
            batch = state.backlog.fold_batch(fact)
            if state.live and batch is not None:
                self._expander.expand(batch, partition, taken_over=False)
            if state.live and isinstance(fact.data, BatchExpanded):
                self._eraser.drop_specs(fact.subject)
            return
        transition = state.backlog.fold_job(fact)
        if not state.live:
            return
        self._runner.observe(transition, fact, partition)
        job = transition.after
        if job is not None and transition.accepted and job.status.terminal:
            self._eraser.tidy(job)

    def _erase_what_is_heard_of(self, state: Partition, fact: Fact) -> None:
        """Repeat the erasure at each later fact of an erased job: another process may have written more."""
        erasure = state.backlog.erased.get(fact.subject)
        if state.live and erasure is not None:
            self._eraser.erase(fact.subject, fact.owner, erasure.parameters)

    def _go_live(self, partition: int, state: Partition) -> None:
        log.info("partition_live", partition=partition, open_jobs=len(state.backlog.jobs))
        for job in state.backlog.jobs.values():
            self._runner.adopt(job, partition)
        for batch in state.backlog.batches.values():
            self._expander.expand(batch, partition, taken_over=True)
        for subject, erasure in state.backlog.erased.items():  # the previous worker may have died before it finished
            self._eraser.erase(subject, erasure.owner, erasure.parameters)


def _resume(checkpoint: Checkpoint | None, end: int) -> Partition:
    """The position after a checkpoint, or at the partition's beginning."""
    if checkpoint is None:
        return Partition(Backlog(), 0, end, -1)
    return Partition(checkpoint.backlog, checkpoint.next_offset, end, checkpoint.next_offset, checkpoint.last_ce_id)


async def save_periodically(reader: PartitionReader, interval_s: float, stopping: asyncio.Event) -> None:
    """Write checkpoints every `interval_s` seconds until `stopping` is set; the last one is written at the revoke."""
    while not await happens_within(stopping, interval_s):
        await reader.save_checkpoints()
