"""Runs jobs for the process manager: the slots, the runs in them, and the facts of each run.

It decides by the facts read from the log (`observe`), never by those it has written: a run that the log did not accept
is killed, and its writes have no effect.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from piperoll.clock import Clock, happens_within
from piperoll.domain.backlog import Transition
from piperoll.domain.job import Job, Status
from piperoll.domain.scheduler import Running, Scheduler
from piperoll.domain.shares import run_to_take_back
from piperoll.log.contract import Appender, AppendError
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, BlobStoreError
from piperoll.store.document_paths import delete_outputs
from piperoll.store.page_paths import folder_of
from schemas.envelope import Fact
from schemas.events import JobProgress, JobStarted
from schemas.ids import draw_run
from services.worker import metrics
from services.worker.children.pool import ChildPool
from services.worker.children.protocol import Assignment, Completed, Failed, Outcome
from services.worker.manager.attempt import Attempt
from services.worker.manager.claim_gate import ClaimGate
from services.worker.manager.found_documents import FindingsAppender
from services.worker.manager.journal import Journal
from services.worker.manager.run_end import ProgressWriter, Verdicts
from services.worker.manager.turns import Turns

log = structlog.get_logger()

DRAIN_S = 6.0  # for the last acknowledgements, then the checkpoint; the next worker treats unacknowledged runs as lost
DISCARD_S = 1.0  # for the deletion of a killed run's outputs, which a release waits for


class RunnerFailedError(RuntimeError):
    """The end of a run could not be appended to the log; another process must find the outcome."""


class Runner:
    """Runs jobs in at most `settings.slots` children at a time.

    `may_claim` is asked before each claim: false while another worker may own this one's partitions.
    """

    may_claim: Callable[[], bool] = staticmethod(lambda: True)

    def __init__(
        self,
        settings: Settings,
        appender: Appender,
        blobs: AsyncBlobs,
        pool: ChildPool,
        gate: ClaimGate,
        clock: Clock,
        chances: random.Random,
    ) -> None:
        self._settings = settings
        self._appender = appender
        self._pool = pool
        self._clock = clock
        self._blobs = blobs
        self._gate = gate
        self._verdicts = Verdicts(settings, blobs, clock, chances)
        self._findings = FindingsAppender(appender, blobs, clock)
        self._scheduler = Scheduler()
        self._running = Running()
        self._turns = Turns(settings)
        self._attempts: dict[str, Attempt] = {}
        self._partitions: dict[str, int] = {}
        self._kick = asyncio.Event()
        self._deaths: dict[asyncio.Task[None], str] = {}
        self._failure: BaseException | None = None

    # --- what was read from the log ------------------------------------------------------------------------------

    def adopt(self, job: Job, partition: int) -> None:
        """Take over an open job of a replayed partition.

        A job that runs in another process is left alone for a grace period, so that its worker's facts can arrive. A
        run of this group member's previous process needs none: a member has one process at a time.
        """
        self._partitions[job.job_id] = partition
        if job.status is Status.PENDING:
            self._offer(job, job.due)
            return
        own = self._settings.static_membership and job.worker == self._settings.instance
        grace = timedelta(seconds=0 if own else self._settings.handover_grace_s)
        self._offer(job, self._clock() + grace)

    def observe(self, transition: Transition, fact: Fact, partition: int) -> None:
        """Act on one fact of an assigned partition."""
        job = transition.after
        attempt = self._attempts.get(fact.subject)
        if attempt is not None and _disproved(attempt, fact, job):
            self._kill(attempt)
            attempt = None
        if job is None or not transition.accepted:
            return
        if job.status.terminal:
            self._forget(job.job_id)
        elif attempt is not None and not (job.status is Status.PENDING and _run_of(fact) == attempt.run):
            attempt.job = job  # also when an earlier run releases the job late: the claim of the next one is valid
        elif job.status is Status.PENDING:
            self._attempts.pop(job.job_id, None)
            self._partitions[job.job_id] = partition
            self._offer(job, job.due)
        elif isinstance(fact.data, JobStarted | JobProgress):  # of another process, which is alive
            self._partitions[job.job_id] = partition
            self._offer(job, self._clock() + timedelta(seconds=self._settings.handover_grace_s))

    async def release(self, partitions: set[int], reason: str) -> None:
        """Give up all work of some partitions: kill the runs, append JobReleased, wait for the acknowledgements."""
        for job_id in [name for name, part in self._partitions.items() if part in partitions]:
            self._scheduler.discard(job_id)
            del self._partitions[job_id]
        leaving = [one for one in self._attempts.values() if one.partition in partitions]
        for attempt in leaving:
            del self._attempts[attempt.job.job_id]
        await asyncio.gather(*(self._release_one(attempt, reason) for attempt in leaving))

    async def await_exit(self, job_id: str) -> None:
        """Wait until no child of this worker runs the job any more."""
        tasks = [task for task, dying in self._deaths.items() if dying == job_id]
        if (attempt := self._attempts.get(job_id)) is not None and attempt.task is not None:
            tasks.append(attempt.task)
        if tasks:
            await asyncio.wait(tasks)

    def has(self, job_id: str) -> bool:
        """Whether the job waits for a slot, runs, or has ended here without its end being read yet."""
        return job_id in self._attempts or job_id in self._scheduler

    # --- the slots -----------------------------------------------------------------------------------------------

    async def run(self, stopping: asyncio.Event) -> None:
        """Fill free slots until `stopping` is set; revocations release running jobs. Raises RunnerFailedError."""
        while not stopping.is_set():
            self._fill()
            self._take_back()
            await self._wait_for_change()
            if self._failure is not None:
                raise RunnerFailedError("the end of a run could not be appended") from self._failure

    def measure(self) -> None:
        """Set the gauges that need a pass over all waiting jobs."""
        oldest = self._scheduler.oldest()
        age = 0.0 if oldest is None else (self._clock() - oldest).total_seconds()
        metrics.OLDEST_RUNNABLE.set(age)

    def _fill(self) -> None:
        self._kick.clear()
        while self._can_claim() and (free := self._settings.slots - self._taken()) > 0:
            job = self._turns.take(self._scheduler, self._clock(), self._running, free)
            if job is None:
                return
            self._start(job)

    def _take_back(self) -> None:
        """Give up a run for an owner that has waited while others have all slots."""
        blocked = self._taken() >= self._settings.slots and self._can_claim()
        if not self._turns.must_take_back(self._scheduler, self._clock(), self._running, blocked):
            return
        inside = [one for one in self._attempts.values() if one.in_slot]
        attempt = None if any(one.leaving for one in inside) else run_to_take_back(inside)
        if attempt is not None and attempt.task is not None:
            attempt.leaving = True
            log.info("slot_taken_back", job_id=attempt.job.job_id, run=attempt.run, owner=attempt.owner)
            attempt.task.cancel()
            attempt.task = asyncio.create_task(self._give_up(attempt, attempt.task))
            attempt.task.add_done_callback(lambda task: self._note_end(attempt, task))

    async def _give_up(self, attempt: Attempt, run: "asyncio.Task[None]") -> None:
        """Append that a run was released once its child is dead; its job then waits for another turn."""
        try:
            await asyncio.wait([run])
        except asyncio.CancelledError:
            await asyncio.wait([run])  # a waiter for this task waits for the child's exit
            raise
        attempt.journal.write(self._verdicts.released(attempt.run, "rebalance"))
        await attempt.journal.flush()

    def _taken(self) -> int:
        return self._running.owners.total()

    def _can_claim(self) -> bool:
        return self._gate.open and self.may_claim()

    async def _wait_for_change(self) -> None:
        idle = self._can_claim() and self._taken() < self._settings.slots
        due = self._scheduler.next_due() if idle else None  # else a job that falls due has to wait anyway
        wait = 1.0 if due is None else min(1.0, max(0.0, (due - self._clock()).total_seconds()))
        await happens_within(self._kick, wait)  # else a job is due, or it is time to see whether to stop

    def _start(self, job: Job) -> None:
        """Claim a job: JobStarted is appended while the child begins."""
        run = draw_run()
        journal = Journal(self._appender, self._clock, job.job_id, job.owner, run)
        attempt = Attempt(job, run, self._partitions[job.job_id], journal)
        self._attempts[job.job_id] = attempt
        self._running.add(job)
        metrics.SLOTS_TAKEN.set(self._taken())
        journal.write(JobStarted(number=job.attempt + 1, run=run, worker=self._settings.instance))
        attempt.task = asyncio.create_task(self._work(attempt))
        attempt.task.add_done_callback(lambda task: self._note_end(attempt, task))

    def _note_end(self, attempt: Attempt, task: "asyncio.Task[None]") -> None:
        self._free(attempt)  # one that was killed before its first step never came to its own `finally`
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = self._failure or error
            self._kick.set()

    async def _work(self, attempt: Attempt) -> None:
        try:
            outcome = await self._outcome(attempt)
        except asyncio.CancelledError:
            self._free(attempt)
            await self._discard(attempt)
            return  # killed on purpose; the reason is written where it was cancelled
        finally:
            self._free(attempt)
        outcome = await self._findings.append(attempt.job, outcome)
        if isinstance(outcome, Failed) and outcome.own_fault:
            self._gate.close(outcome.message)
        end = await self._verdicts.judge(attempt.job, attempt.run, outcome)
        attempt.journal.write(end)
        await attempt.journal.flush()
        if isinstance(outcome, Completed) and (outcome.page_checkpoints or attempt.job.page_records is not None):
            await self._drop_pages(attempt.job.job_id)

    async def _drop_pages(self, job_id: str) -> None:
        """Delete the page checkpoints and the records of finished pages, after the end is in the log.

        Until then another attempt, or a reader of the job's pages, may need them.
        """
        try:
            await self._blobs.delete_folder(folder_of(job_id))
        except BlobStoreError as error:  # then the sweep deletes them
            log.warning("page_checkpoints_not_deleted", job_id=job_id, error=str(error))

    async def _discard(self, attempt: Attempt) -> None:
        """Delete the outputs of a killed run: it has no effect, and its child can write no more.

        What a store that does not answer keeps is deleted at the job's end (services.worker.cleanup.lost_runs) or with
        its erasure.
        """
        try:
            async with asyncio.timeout(DISCARD_S):
                await delete_outputs(self._blobs, f"{attempt.job.job_id}/{attempt.run}")
        except (BlobStoreError, TimeoutError) as error:
            log.warning("run_not_discarded", job_id=attempt.job.job_id, run=attempt.run, error=repr(error))

    async def _outcome(self, attempt: Attempt) -> Outcome:
        job = attempt.job
        if job.losses >= self._settings.max_losses:
            return self._verdicts.lost(job)
        assert job.parameters is not None  # only an ended job can be erased
        assignment = Assignment(
            job_id=job.job_id,
            run=attempt.run,
            owner=job.owner,
            job_type=job.job_type,
            parameters=job.parameters,
            attempt=job.attempt + 1,
            timeout_s=job.timeout_s,
        )
        reporter = ProgressWriter(attempt.journal, attempt.run, job.has_webhook)
        try:
            return await self._pool.run(assignment, reporter.report)
        finally:
            reporter.close()

    def _free(self, attempt: Attempt) -> None:
        """Give up the slot, once it has a child again: an owner whose runs end children must not use up the others'."""
        if not attempt.in_slot:
            return
        attempt.in_slot = False
        job = attempt.job
        if (replacement := self._pool.replacement(attempt.run)) is None:
            self._give_up_slot(job)
        else:
            replacement.add_done_callback(lambda _: self._give_up_slot(job))

    def _give_up_slot(self, job: Job) -> None:
        self._running.remove(job)
        metrics.SLOTS_TAKEN.set(self._taken())
        self._kick.set()

    # --- ends that the log decides -------------------------------------------------------------------------------

    def _kill(self, attempt: Attempt) -> None:
        """End a run that no longer counts: cancelled, or claimed by another. Its output has no effect."""
        self._attempts.pop(attempt.job.job_id, None)
        if attempt.task is not None and not attempt.task.done():
            attempt.task.cancel()
            self._deaths[attempt.task] = attempt.job.job_id
            attempt.task.add_done_callback(self._deaths.pop)

    async def _release_one(self, attempt: Attempt, reason: str) -> None:
        """Kill a running attempt and append JobReleased; wait for the end of one that has ended."""
        assert attempt.task is not None  # set where the attempt is made
        if attempt.in_slot:
            attempt.task.cancel()
            await asyncio.wait([attempt.task])
            attempt.journal.write(self._verdicts.released(attempt.run, reason))
        try:
            async with asyncio.timeout(DRAIN_S):
                await asyncio.wait([attempt.task])
                await attempt.journal.flush()
        except (TimeoutError, AppendError) as error:  # the next worker treats the run as lost
            log.warning("release_not_acknowledged", job_id=attempt.job.job_id, run=attempt.run, error=repr(error))

    def _offer(self, job: Job, not_before: datetime | None) -> None:
        self._turns.sight(job.owner, self._clock())
        self._scheduler.put(job, not_before)
        self._kick.set()

    def _forget(self, job_id: str) -> None:
        self._scheduler.discard(job_id)
        self._attempts.pop(job_id, None)
        self._partitions.pop(job_id, None)


def _run_of(fact: Fact) -> str | None:
    """The run of a fact, if any."""
    return getattr(fact.data, "run", None)


def _disproved(attempt: Attempt, fact: Fact, job: Job | None) -> bool:
    """Whether a fact shows that the attempt does not count: refused, superseded, or its job ended without it."""
    if isinstance(fact.data, JobStarted | JobProgress) and fact.data.run == attempt.run:
        return job is None or job.run != attempt.run
    if _run_of(fact) == attempt.run:
        return False  # its own later facts
    if job is None or job.status.terminal:
        return True
    return isinstance(fact.data, JobStarted | JobProgress) and job.run == fact.data.run
