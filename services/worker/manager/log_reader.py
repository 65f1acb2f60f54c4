"""Reads the partitions: folds each record into its partition's backlog and passes the change to the runner.

It never waits for a job. A partition is first replayed, from its checkpoint to the end seen at the assignment, and
nothing is started; then its open jobs go to the runner at once, and later changes fact by fact.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from piperoll.clock import Clock
from piperoll.domain.backlog import Backlog
from piperoll.log.checkpoint import Checkpoint, CheckpointError, Checkpoints
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.record import Record
from piperoll.store.blobs import BlobStoreError
from schemas.envelope import Fact, UndecodableRecordError
from schemas.events import BATCH_EVENTS, BatchExpanded
from schemas.topics import JOB_EVENTS
from services.worker import metrics
from services.worker.cleanup.erasure import Eraser
from services.worker.manager.batch_expander import Expander, LogHistory
from services.worker.manager.runner import Runner

log = structlog.get_logger()


@dataclass(slots=True)
class Partition:
    """A partition of this worker: what is open in it, and how far it was read."""

    backlog: Backlog
    next_offset: int
    replay_to: int
    saved_offset: int
    last_ce_id: str = ""

    @property
    def live(self) -> bool:
        """Whether the replay has reached the end seen at the assignment."""
        return self.next_offset >= self.replay_to


class PartitionReader:
    """The worker's Reader (piperoll.log.contract)."""

    def __init__(
        self,
        runner: Runner,
        expander: Expander,
        checkpoints: Checkpoints,
        history: LogHistory,
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
        """Loads each partition's checkpoint; answers where to read on."""
        ends = await self._history.end_offsets(JOB_EVENTS)
        loaded = {part: await self._load(part, ends.get(part, 0)) for part in partitions}
        diverged = await self._diverged(loaded)
        for part, checkpoint in loaded.items():
            state = _resume(None if part in diverged else checkpoint, ends.get(part, 0))
            self._partitions[part] = state
            if state.live:
                self._go_live(part, state)
        return {part: self._partitions[part].next_offset for part in partitions}

    async def revoked(self, partitions: set[int]) -> None:
        """Gives up the work of the partitions and leaves a fresh checkpoint for their next owner."""
        self._expander.stop(partitions)
        await self._runner.release(partitions, "drain" if self.draining else "rebalance")
        for part in partitions & set(self._partitions):
            await self._save(part, self._partitions.pop(part))
            metrics.OPEN_JOBS.labels(part).set(0)

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        """Folds records. Raises UnknownEventError, which stops the service: skipping would corrupt its state."""
        state = self._partitions[partition]
        for record in records:
            was_live = state.live
            fact = await self._decode(state, record)
            if fact is not None:
                self._fold(partition, state, fact)
                self._erase_what_is_heard_of(state, fact)
            state.next_offset = record.offset + 1
            if state.live and not was_live:
                self._go_live(partition, state)
        state.last_ce_id = records[-1].ce_id
        metrics.OPEN_JOBS.labels(partition).set(len(state.backlog.jobs))

    def live(self) -> Mapping[int, Backlog]:
        """The backlogs of this worker's partitions that are replayed."""
        return {part: state.backlog for part, state in self._partitions.items() if state.live}

    async def save_checkpoints(self) -> None:
        """Writes the checkpoint of every partition that moved since its last one."""
        for part, state in list(self._partitions.items()):
            if state.live and state.next_offset != state.saved_offset:
                state.backlog.forget_ended(self._clock())
                await self._save(part, state)

    async def _load(self, part: int, end: int) -> Checkpoint | None:
        try:
            checkpoint = await self._checkpoints.load(part)
        except (CheckpointError, BlobStoreError) as error:  # then the whole history is read, which takes longer
            log.warning("checkpoint_passed_over", partition=part, error=str(error))
            return None
        if checkpoint is not None and checkpoint.next_offset > end:
            log.warning("checkpoint_passed_over", partition=part, error="it lies beyond the end of the log")
            return None
        return checkpoint

    async def _diverged(self, loaded: Mapping[int, Checkpoint | None]) -> set[int]:
        """The partitions whose log is not the one that the checkpoint was folded from, as after a restored backup."""
        last = {part: one for part, one in loaded.items() if one is not None and one.last_ce_id}
        begin = {part: one.next_offset - 1 for part, one in last.items()}
        end = {part: one.next_offset for part, one in last.items()}
        found = {record.partition: record.ce_id for record in await self._history.read_range(JOB_EVENTS, begin, end)}
        diverged = {part for part, one in last.items() if found.get(part) != one.last_ce_id}
        for part in diverged:
            log.warning("checkpoint_passed_over", partition=part, error="the log has another record at its end")
        return diverged

    async def _save(self, part: int, state: Partition) -> None:
        offset = state.next_offset
        try:
            await self._checkpoints.save(part, state.backlog, offset, state.last_ce_id)
        except BlobStoreError as error:
            # An older checkpoint stays, which is slower to start from and never wrong.
            metrics.CHECKPOINTS.labels("failed").inc()
            log.warning("checkpoint_not_written", partition=part, error=str(error))
            return
        metrics.CHECKPOINTS.labels("written").inc()
        state.saved_offset = offset

    async def _decode(self, state: Partition, record: Record) -> Fact | None:
        """The record's fact; None for one that was parked, as is everything that follows it under its key."""
        key = (record.key or b"").decode(errors="replace")
        if key in state.backlog.parked:
            await self._park(record, "an earlier record of the same key could not be decoded")
            return None
        try:
            return record.fact()
        except UndecodableRecordError as error:
            if key:
                state.backlog.parked.add(key)
            await self._park(record, str(error))
            return None

    async def _park(self, record: Record, why: str) -> None:
        metrics.PARKED.inc()
        log.error("record_parked", position=str(record.position), why=why)
        await self._dead_letters.park("worker", record, why)

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
        """The erasure itself, and whatever follows it: somebody worked on, and wrote."""
        erasure = state.backlog.erased.get(fact.subject)
        if state.live and erasure is not None:
            self._eraser.erase(fact.subject, fact.owner, erasure.parameters)

    def _go_live(self, partition: int, state: Partition) -> None:
        log.info("partition_live", partition=partition, open_jobs=len(state.backlog.jobs))
        for job in state.backlog.jobs.values():
            self._runner.adopt(job, partition)
        for batch in state.backlog.batches.values():
            self._expander.expand(batch, partition, taken_over=True)
        for subject, erasure in state.backlog.erased.items():  # the worker before may have died over it
            self._eraser.erase(subject, erasure.owner, erasure.parameters)


def _resume(checkpoint: Checkpoint | None, end: int) -> Partition:
    """Where a partition goes on: behind its checkpoint, or at its beginning."""
    if checkpoint is None:
        return Partition(Backlog(), 0, end, -1)
    return Partition(checkpoint.backlog, checkpoint.next_offset, end, checkpoint.next_offset, checkpoint.last_ce_id)


async def save_periodically(reader: PartitionReader, interval_s: float, stopping: asyncio.Event) -> None:
    """Writes checkpoints every `interval_s` seconds until `stopping` is set; the last one is written at the revoke."""
    while not stopping.is_set():
        try:
            async with asyncio.timeout(interval_s):
                await stopping.wait()
        except TimeoutError:
            await reader.save_checkpoints()
