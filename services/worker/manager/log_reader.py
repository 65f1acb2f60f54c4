"""Reads the partitions: folds each record into its partition's backlog and passes the change to the runner.

It never waits for a job. A partition is first replayed, from its checkpoint to its end at the assignment, without
starting jobs; then its open jobs go to the runner at once, and later changes fact by fact.
"""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from piperoll.clock import Clock, happens_within
from piperoll.domain.backlog import Backlog
from piperoll.domain.batch import Batch
from piperoll.domain.job import Job
from piperoll.log.backlog_checkpoint import Checkpoints
from piperoll.log.continuity import StoredPosition
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
from services.worker.manager.checkpoint_loading import CheckpointLoading, require_their_log
from services.worker.manager.look_ups import LookUps, Past
from services.worker.manager.partition import Partition, resume
from services.worker.manager.runner import Runner

log = structlog.get_logger()

LAST_SAVE_S = 3.0  # for the checkpoints of revoked partitions: their next owner waits


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
        self._loading = CheckpointLoading(JOB_EVENTS, lambda: self.draining)
        self.look_ups = LookUps(history, self._looked_up)
        self.draining = False

    def problem(self) -> str | None:
        """A sentence while a partition is still being replayed, or its checkpoint cannot be read."""
        if (problem := self._loading.problem()) is not None:
            return problem
        behind = [part for part, state in self._partitions.items() if not state.live]
        return f"partitions {behind} are being replayed" if behind else None

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        """Load each partition's checkpoint; return the offsets to read from.

        Raises LogDivergedError if the log is not that of the blob store.
        """
        ends = await self._history.end_offsets(JOB_EVENTS)
        loads = [self._loading.load(part, self._checkpoints.load) for part in partitions]
        loaded = dict(zip(partitions, await asyncio.gather(*loads), strict=True))
        stored = {part: StoredPosition(one.next_offset, one.last_ce_id or None) for part, one in loaded.items() if one}
        await require_their_log(self._history, JOB_EVENTS, stored)
        for part, checkpoint in loaded.items():
            state = resume(checkpoint, ends.get(part, 0))
            state.loaded = not self.draining or checkpoint is not None
            self._partitions[part] = state
            if state.live:
                self._go_live(part, state)
        return {part: self._partitions[part].next_offset for part in partitions}

    async def revoked(self, partitions: set[int]) -> None:
        """Give up the work of the partitions and write a new checkpoint for their next owner."""
        left = {part: self._partitions.pop(part) for part in partitions & set(self._partitions)}
        self._expander.stop(partitions)
        self.look_ups.stop(partitions)
        await self._runner.release(partitions, "drain" if self.draining else "rebalance")
        await asyncio.gather(*(self._save_last(part, state) for part, state in left.items()))
        for part in left:
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
            if parking.letters:
                metrics.PARKED.inc(len(parking.letters))
                await self._dead_letters.park_all("worker", parking.letters)
            parking.update(state.backlog.parked)
            state.next_offset, state.last_ce_id = record.offset + 1, record.ce_id  # together: a save may come between
            if state.live and not was_live:
                self._go_live(partition, state)
        state.backlog.forget_ended(min(self._clock(), records[-1].appended_at))
        metrics.OPEN_JOBS.labels(partition).set(len(state.backlog.jobs))

    def live(self) -> Mapping[int, Backlog]:
        """The backlogs of this worker's replayed partitions."""
        return {part: state.backlog for part, state in self._partitions.items() if state.live}

    def knows(self, job_id: str) -> bool:
        """Whether a partition of this worker has the job, or had it recently, and it was not erased."""
        backlogs = [state.backlog for state in self._partitions.values()]
        return any((job_id in one.jobs or job_id in one.ended) and job_id not in one.erased for one in backlogs)

    def unaccounted(self) -> list[str]:
        """The open jobs of replayed partitions that neither wait nor run here: always none, or a job is stuck."""
        return [
            job_id
            for backlog in self.live().values()
            for job_id in backlog.jobs
            if not self._runner.has(job_id) and job_id not in backlog.unchecked
        ]

    def positions(self) -> Mapping[int, int]:
        """The next offsets of this worker's replayed partitions."""
        return {part: state.next_offset for part, state in self._partitions.items() if state.live}

    async def save_checkpoints(self) -> None:
        """Write the checkpoint of every partition that moved since its last one."""
        for part, state in list(self._partitions.items()):
            if state.live:
                state.backlog.forget_erased(self._clock())
            await self._save(part, state)

    async def _save(self, part: int, state: Partition) -> None:
        """Write the checkpoint of a partition that moved since its last one, also during its replay."""
        offset = state.next_offset
        if offset == state.saved_offset or not state.loaded:
            return
        try:
            await self._checkpoints.save(part, state.backlog, offset, state.last_ce_id)
        except BlobStoreError as error:
            # An older checkpoint is kept: slower to start from, but not wrong.
            metrics.CHECKPOINTS.labels("failed").inc()
            log.warning("checkpoint_not_written", partition=part, error=str(error))
            return
        metrics.CHECKPOINTS.labels("written").inc()
        state.saved_offset = offset

    async def _save_last(self, part: int, state: Partition) -> None:
        try:
            async with asyncio.timeout(LAST_SAVE_S):
                await self._save(part, state)
        except TimeoutError:
            metrics.CHECKPOINTS.labels("failed").inc()
            log.warning("checkpoint_not_written", partition=part, error=f"not within {LAST_SAVE_S:g} s")

    def _fold(self, partition: int, state: Partition, fact: Fact) -> None:
        if isinstance(fact.data, BATCH_EVENTS):
            batch = state.backlog.fold_batch(fact)
            if state.live and batch is not None:
                self._expand(partition, state, batch, taken_over=False)
            if state.live and isinstance(fact.data, BatchExpanded):
                self._eraser.drop_specs(fact.subject, fact.owner)
            return
        transition = state.backlog.fold_job(fact)
        lost = state.lost_runs.see(transition)
        if not state.live:
            return
        if fact.subject in state.backlog.unchecked:
            self.look_ups.ask(partition, fact.subject)
            return
        self._runner.observe(transition, fact, partition)
        if lost:
            self._eraser.tidy(fact.subject, lost)

    def _erase_what_is_heard_of(self, state: Partition, fact: Fact) -> None:
        """Repeat the erasure at each later fact of an erased job: another process may have written more."""
        if state.live and fact.subject in state.backlog.erased:
            self._eraser.erase(fact.subject, state.backlog)

    def _go_live(self, partition: int, state: Partition) -> None:
        log.info("partition_live", partition=partition, open_jobs=len(state.backlog.jobs))
        for job in state.backlog.jobs.values():
            self._adopt(partition, state, job)
        for batch in state.backlog.batches.values():
            self._expand(partition, state, batch, taken_over=True)
        for subject in state.backlog.erased:  # also those that were done: a lost process may have written more
            self._eraser.erase(subject, state.backlog)

    def _adopt(self, partition: int, state: Partition, job: Job) -> None:
        if job.job_id in state.backlog.unchecked:
            self.look_ups.ask(partition, job.job_id)
        else:
            self._runner.adopt(job, partition)

    def _expand(self, partition: int, state: Partition, batch: Batch, taken_over: bool) -> None:
        if batch.batch_id in state.backlog.unchecked:
            self.look_ups.ask(partition, batch.batch_id)
        else:
            self._expander.expand(batch, partition, taken_over)

    def _looked_up(self, partition: int, subject: str, past: Past) -> None:
        """Begin an unchecked job or batch that is new; drop one that had ended before."""
        backlog = self._partitions[partition].backlog
        if subject not in backlog.unchecked:
            return  # it ended meanwhile
        if past.ended:
            log.warning("repeated_creation_dropped", subject=subject, erased=past.erased)
            backlog.dismiss(subject, self._clock(), past.erased)
            if past.erased:
                self._eraser.erase(subject, backlog)
            return
        backlog.confirm(subject)
        if subject in backlog.jobs:
            self._adopt(partition, self._partitions[partition], backlog.jobs[subject])
        elif subject in backlog.batches:
            self._expand(partition, self._partitions[partition], backlog.batches[subject], taken_over=True)


async def save_periodically(reader: PartitionReader, interval_s: float, stopping: asyncio.Event) -> None:
    """Write checkpoints every `interval_s` seconds until `stopping` is set; the last one is written at the revoke."""
    while not await happens_within(stopping, interval_s):
        await reader.save_checkpoints()
