"""The worker's warm child processes: a job starts in one at once; one that ends is replaced.

The pool uses neither the log nor the state of a job: it turns an Assignment into an Outcome, or is cancelled.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from itertools import chain, repeat

import structlog
from prometheus_client import Counter

from piperoll.background import FAILURES
from piperoll.job_types import cache_ttl_s, job_types
from piperoll.settings import Settings
from services.worker.children import environment
from services.worker.children.process import Child, ChildStartError, OnProgress
from services.worker.children.protocol import Assignment, Outcome, Setup
from services.worker.children.scratch import ScratchFolder
from services.worker.confinement.confine import missing
from services.worker.providers import ProviderSetup

log = structlog.get_logger()

BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits between tries to start a child: a missing module must not use all CPU time."""

MAX_SKIPPED = 100  # in one run: each costs the start of a child

SKIPPED = Counter("piperoll_worker_pages_skipped_total", "Pages that ended a child process, by step", ["step"])
REPLACED = Counter("piperoll_worker_children_replaced_total", "Child processes replaced, by reason", ["reason"])


class PoolStoppedError(RuntimeError):
    """The pool was stopped while a run waited for a child, or ran in one."""


class ChildPool:
    """`size` child processes, which run at the same time; further runs wait for a child.

    `marked`: the children require the marker of the installation in the blob store.
    """

    def __init__(self, settings: Settings, size: int, marked: bool = False) -> None:
        self._settings = settings
        self._marked = marked
        self._size = size
        self._idle: list[Child] = []  # used from the end: the one that ran last has the warmest caches
        self._living: set[Child] = set()
        self._waiting: deque[asyncio.Future[Child]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._replacements: dict[str, asyncio.Task[None]] = {}  # by the run that ended the child
        self._scratch: ScratchFolder | None = None
        self._trouble: str | None = None
        self._stopped = False
        self._reported = False

    async def start(self) -> None:
        """Start all children at once and return when each is warm or failed; failed ones are tried again."""
        self._scratch = scratch = await asyncio.to_thread(ScratchFolder, self._settings.work_dir)
        self._setup = _setup(self._settings, scratch).model_copy(update={"marked": self._marked})
        started = await asyncio.gather(*(self._start_one() for _ in range(self._size)))
        for _ in range(started.count(False)):
            self._spawn(self._refill(BACKOFF_S[0]))

    async def run(self, assignment: Assignment, on_progress: OnProgress) -> Outcome:
        """Run one assignment in a child; every failure is an Outcome. Raises PoolStoppedError.

        A page that ended its child is left out by another child of the same run, up to MAX_SKIPPED times.
        `on_progress` is called on the event loop. Cancelling the caller kills this one child and waits for its exit.
        """
        loop = asyncio.get_running_loop()
        current, begun = assignment, None
        while True:
            child = await self._take_living()
            begun = loop.time() if begun is None else begun
            outcome = await self._run_in(child, current, on_progress)
            if self._stopped:
                raise PoolStoppedError("the pool was stopped during the run")
            left_s = begun + assignment.timeout_s - loop.time()
            if child.fatal is None or left_s <= 0 or len(current.skipped) >= MAX_SKIPPED:
                taken_ms = round((loop.time() - begun) * 1000)
                return outcome.model_copy(update={"duration_ms": taken_ms}) if current.skipped else outcome
            log.warning("page_skipped", job_id=assignment.job_id, run=assignment.run, **child.fatal._asdict())
            SKIPPED.labels(child.fatal.step).inc()
            skipped = (*current.skipped, child.fatal)
            current = assignment.model_copy(update={"timeout_s": left_s, "skipped": skipped})

    def replacement(self, run: str) -> "asyncio.Task[None] | None":
        """The replacement of the child that a run ended, while it goes on; None for a run that left its child."""
        return self._replacements.get(run)

    async def stop(self) -> None:
        """Kill every child and wait for the exits. Cancel the runs first: running ones raise."""
        self._stopped = True
        while self._waiting:
            self._wake(PoolStoppedError("the pool was stopped"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(child.end() for child in tuple(self._living)))
        if self._scratch:
            await asyncio.to_thread(self._scratch.close)

    async def check_scratch(self) -> None:
        """Write a file where runs do. Raises OSError when that fails."""
        if self._scratch:
            await asyncio.to_thread(self._scratch.check)

    def problem(self) -> str | None:
        """A sentence while children cannot be started, for readiness."""
        return self._trouble

    async def _run_in(self, child: Child, assignment: Assignment, on_progress: OnProgress) -> Outcome:
        limits = self._settings
        try:
            return await child.run(assignment, on_progress, limits.stall_timeout_s, limits.page_timeout_s)
        finally:
            if (replacement := self._give_back(child)) is not None:
                self._replacements[assignment.run] = replacement
                replacement.add_done_callback(lambda _: self._replacements.pop(assignment.run, None))

    # --- taking and giving back ------------------------------------------------------------------------------

    async def _take(self) -> Child:
        if self._stopped:
            raise PoolStoppedError("the pool was stopped")
        if self._idle:
            return self._idle.pop()
        turn: asyncio.Future[Child] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and not turn.exception():
                self._offer(turn.result())  # it got a child at the moment it was cancelled
            raise

    async def _take_living(self) -> Child:
        child = await self._take()
        while child.spent:  # it ended before it was taken
            self._give_back(child)
            child = await self._take()
        return child

    def _offer(self, child: Child) -> None:
        while self._waiting:
            if self._wake(child):
                return
        self._idle.append(child)

    def _wake(self, answer: Child | PoolStoppedError) -> bool:
        turn = self._waiting.popleft()
        if turn.done():
            return False
        if isinstance(answer, PoolStoppedError):
            turn.set_exception(answer)
        else:
            turn.set_result(answer)
        return True

    def _give_back(self, child: Child) -> "asyncio.Task[None] | None":
        """Offer a child to the next run, or return its replacement."""
        reason = self._why_spent(child)
        if self._stopped:
            return None
        if reason is None:
            self._offer(child)
            return None
        REPLACED.labels(reason).inc()
        return self._spawn(self._replace(child))

    def _why_spent(self, child: Child) -> str | None:
        if child.spent:
            return "ended"
        if child.jobs >= self._settings.child_jobs:
            return "jobs"
        if child.rss_bytes > self._settings.job_memory_bytes // 2:
            return "memory"
        return None

    # --- replacing -------------------------------------------------------------------------------------------

    async def _replace(self, child: Child) -> None:
        await self._bury(child)
        await self._refill(0.0)

    async def _bury(self, child: Child) -> None:
        await child.end()
        if self._scratch:
            await asyncio.to_thread(self._scratch.clear, child.pid)

    async def _refill(self, delay_s: float) -> None:
        """Fill one slot; try until a child starts."""
        await asyncio.sleep(delay_s)
        for pause_s in chain(BACKOFF_S, repeat(BACKOFF_S[-1])):
            if self._stopped or await self._start_one():
                return
            await asyncio.sleep(pause_s)

    async def _start_one(self) -> bool:
        try:
            child = await Child.start(self._setup, self._on_lost)
        except ChildStartError as error:
            self._trouble = str(error)
            log.exception("child_start_failed")
            return False
        if self._settings.sandbox == "require" and (lacking := missing(child.measures)):
            await self._bury(child)
            self._trouble = f"PIPEROLL_SANDBOX is `require`, but the sandbox is incomplete here: {'; '.join(lacking)}"
            log.error("sandbox_incomplete", missing=lacking)
            return False
        self._trouble = None
        self._report(child)
        self._living.add(child)
        self._offer(child)
        return True

    def _report(self, child: Child) -> None:
        """Log once what confines the sandboxes here."""
        if not self._reported:
            self._reported = True
            lacking = [one.name for one in child.measures if not one.held]
            report = log.warning if lacking or not child.measures else log.info
            report("sandbox", **{one.name.replace(" ", "_"): one.about for one in child.measures}, missing=lacking)

    def _on_lost(self, child: Child) -> None:
        """Handle the end of a child. A working one is replaced when its run ends; an idle one here, after a pause."""
        self._living.discard(child)
        if child in self._idle and not self._stopped:
            self._idle.remove(child)
            REPLACED.labels("idle").inc()
            log.warning("idle_child_ended")
            self._spawn(self._revive(child))

    async def _revive(self, child: Child) -> None:
        await self._bury(child)
        await self._refill(BACKOFF_S[1])

    def _spawn(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._spawned)
        return task

    def _spawned(self, task: "asyncio.Task[None]") -> None:
        """Fill the slot of a replacement that failed: it would be lost for ever."""
        self._tasks.discard(task)
        if not self._stopped and not task.cancelled() and (error := task.exception()) is not None:
            FAILURES.labels("the replacement of a child").inc()
            self._trouble = f"a child could not be replaced: {error!r}"
            log.error("child_not_replaced", error=repr(error))
            self._spawn(self._refill(BACKOFF_S[-1]))


def _setup(settings: Settings, scratch: ScratchFolder) -> Setup:
    """The settings that a child needs."""
    return Setup(
        blob_url=settings.blob_url,
        roots=tuple(str(root) for root in settings.roots),
        max_pages=settings.max_pages,
        max_bytes=settings.max_upload_bytes,
        memory_bytes=settings.job_memory_bytes,
        work_dir=str(scratch.path),
        networks=tuple(str(network) for network in settings.private_sources),
        fetch_timeout_s=settings.fetch_timeout_s,
        media_bytes=settings.max_media_bytes,
        media_timeout_s=settings.media_timeout_s,
        templates_dir=settings.templates_dir,
        ocr_languages=settings.ocr_languages,
        sync_max_removed=settings.sync_max_removed,
        providers=ProviderSetup.of(settings),
        confined=settings.sandbox != "off",
        environment=environment.for_the_child(),
        credential_files=environment.credential_files() if settings.sync_stores else (),
        cache_ttls_s={one.name: cache_ttl_s(one, settings) for one in job_types()},
    )
