"""The sweep: periodically plans (`plan`) and deletes, page by page. It deletes on proof alone (`evidence`).

Each worker sweeps the blobs of its partitions; the one with the first partition also those that belong to none.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiokafka.errors import KafkaError

from piperoll.clock import Clock, happens_within
from piperoll.domain.backlog import Backlog
from piperoll.log.contract import LogView
from piperoll.settings import Settings
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, BlobStoreError, BlobUnreadableError
from services.worker import metrics
from services.worker.cleanup.sweep import notes as store_notes
from services.worker.cleanup.sweep.evidence import Doomed, Reason, judged_blobs, knows
from services.worker.cleanup.sweep.keys import FIRST, subject_of
from services.worker.cleanup.sweep.knowledge import Knowledge
from services.worker.cleanup.sweep.log_time import FreshEnds
from services.worker.cleanup.sweep.lookup import NamedDocuments
from services.worker.cleanup.sweep.plan import PAUSE_S, Planner, SweepPlan, unchanged_inputs
from services.worker.cleanup.upload_uses import named_in

log = structlog.get_logger()

FIRST_AFTER_S = 300.0  # a worker that is restarted often must sweep too; also the pause after a sweep that failed
LOOK_S = 60.0  # whether `piperoll sweep --yes` has released the brake
DEEP_SHARE = 1 / 28  # of the sweeps, drawn: at the default interval once a week
ABANDONED_S = 86_400.0  # an upload is cut off when nothing arrives for much less
PAGE = 200  # deletions between two checks that the partitions are still fresh and this worker's
AWAY = (BlobStoreError, KafkaError, OSError, TimeoutError)

Erase = Callable[[str, Backlog, Sequence[str]], None]
"""Begins to erase a job or batch that is erased in the backlog of its partition, and these inputs of it elsewhere."""
DropSpecs = Callable[[str, str], None]
"""Begins to delete the specifications of an expanded batch of an owner, and the uploads that it alone has left."""
IdentityProblem = Callable[[], Awaitable[str | None]]
"""Returns why store and log may not belong together; None if they do."""


async def no_problem() -> str | None:
    """The answer of an installation whose parts belong together."""
    return None


class StoreSweep:
    """One process's means to sweep."""

    def __init__(
        self,
        settings: Settings,
        blobs: AsyncBlobs,
        log: LogView,
        knowledge: Knowledge,
        erase: Erase | None,
        clock: Clock,
        chances: random.Random,
        drop_specs: DropSpecs | None = None,
    ) -> None:
        self._blobs = blobs
        self._knowledge = knowledge
        self._erase = erase
        self._drop_specs = drop_specs
        self._ends = FreshEnds(log, knowledge)
        self._planner = Planner(settings, blobs, log, self._ends, clock, chances)

    async def plan(self, deep: bool) -> SweepPlan | None:
        """Return what would be deleted; None if no partition is read to a fresh end, or the log is empty.

        Raises the errors of AWAY.
        """
        self._ends.forget()
        backlogs = await self._ends.confirm(self._knowledge.backlogs().keys())
        if not backlogs:
            return None
        return await self._planner.make(backlogs, deep)

    async def note(self, plan: SweepPlan) -> None:
        """Write the notes of a plan. Raises BlobStoreError."""
        for part, before in plan.before.items():
            await store_notes.save(self._blobs, part, before, plan.after[part])

    async def is_released(self) -> bool:
        """Whether another process has swept these partitions after a sweep stopped."""
        try:
            found = [await self._planner.notes_of(part) for part in self._knowledge.backlogs()]
        except AWAY:
            return False
        return bool(found) and all(one.stopped is None for one in found)

    async def carry_out(self, plan: SweepPlan, stopping: asyncio.Event) -> Counter[Reason]:
        """Delete what the plan dooms, until `stopping` is set; return the numbers of blobs. Raises as `plan`.

        Before each page its partitions must be this process's and folded up to a fresh end again.
        """
        counts: Counter[Reason] = Counter()
        for begin in range(0, len(plan.doomed), PAGE):
            page = plan.doomed[begin : begin + PAGE]
            fresh = await self._ends.confirm({one.partition for one in page})
            if any(one.reason == "unnamed" for one in page):
                await plan.documents.go_on()
            for one in page:
                if one.partition in fresh:
                    counts[one.reason] += await self._delete(one, fresh[one.partition], plan.documents)
            if await happens_within(stopping, PAUSE_S):
                break
        return counts

    async def remove_abandoned(self) -> int:
        """Remove what killed processes left of writes, if the first partition is this process's. Return their number.

        No fact can name such a file, so this needs no look into the log. Raises BlobStoreError.
        """
        return await self._blobs.remove_abandoned(ABANDONED_S) if FIRST in self._knowledge.backlogs() else 0

    async def _delete(self, one: Doomed, backlog: Backlog, documents: NamedDocuments) -> int:
        match one.reason:
            case "erased":
                self._erase_again(one, backlog)
                return 0  # the eraser counts what it deletes
            case "expanded" if one.owner and self._drop_specs is not None:
                self._drop_specs(one.name, one.owner)
                return 0
            case "expanded" if one.owner and await self._name_uploads(one.uris):
                return 0  # workers give up the uploads
            case "orphaned" if knows(backlog, one.name):
                return 0  # its fact was appended after the log was searched
            case "unnamed" if subject_of(one.name) in documents.ids[one.partition]:
                return 0
            case "orphaned" | "unnamed" if one.traces is not None:
                uris = await unchanged_inputs(self._blobs, one.name, one.traces)
                await self._blobs.delete(uris)
                return len(uris)
            case "upload" if not one.name.startswith(f"{uploads.USES}/"):
                if await self._blobs.names(f"{uploads.USES}/{one.name}"):
                    return 0  # a job was created that uses it
            case "segment":
                if not await self._is_empty(one.name):
                    return 0
        await self._blobs.delete(one.uris)
        return one.blobs

    def _erase_again(self, one: Doomed, backlog: Backlog) -> None:
        """Leave an erased job to the eraser, which knows its blobs outside its folder, and what it still needs."""
        if self._erase is None:
            return  # this process has no children, which must have ended: workers erase
        if one.erasure is not None:
            backlog.erased.setdefault(one.name, one.erasure)
        if one.name in backlog.erased:
            self._erase(one.name, backlog, one.uris)

    async def _name_uploads(self, specs: Sequence[str]) -> bool:
        try:
            return any([await named_in(self._blobs, uri) for uri in specs])
        except BlobUnreadableError:
            return False  # no member was created by them

    async def _is_empty(self, segment: str) -> bool:
        try:
            return not await self._blobs.lines(segment)
        except BlobMissingError:
            return False


class Sweeper:
    """Sweeps periodically. `identity` is asked before each sweep, which does not begin while it has a problem."""

    def __init__(
        self,
        settings: Settings,
        sweep: StoreSweep,
        chances: random.Random,
        identity: IdentityProblem = no_problem,
    ) -> None:
        self._sweep = sweep
        self._interval_s = settings.sweep_interval_s
        self._chances = chances
        self._identity = identity
        self._problem: str | None = None

    def problem(self) -> str | None:
        """A sentence while the brake keeps the sweep from deleting."""
        return self._problem

    async def run(self, stopping: asyncio.Event) -> None:
        """Sweep until `stopping` is set."""
        wait_s = min(FIRST_AFTER_S, self._interval_s)
        while not await self._passes(stopping, wait_s):
            try:
                done = await self.once(stopping)
            except AWAY as error:
                log.warning("sweep_ended_early", error=repr(error))
                done = False
            wait_s = self._interval_s if done else min(FIRST_AFTER_S, self._interval_s)

    async def once(self, stopping: asyncio.Event) -> bool:
        """Sweep once; return whether it came to its end. Raises the errors of AWAY."""
        if (problem := await self._identity()) is not None:
            log.warning("sweep_refused", why=problem)
            return False
        plan = await self._sweep.plan(deep=self._chances.random() < DEEP_SHARE)
        if plan is None:
            log.info("sweep_waits_for_the_log")
            return False
        await self._sweep.note(plan)
        self._show(plan)
        if plan.stopped is not None:
            log.error("sweep_stopped", why=plan.stopped, examples=[one.name for one in plan.doomed[:5]])
            return True
        counts = await self._sweep.carry_out(plan, stopping)
        for reason, count in counts.items():
            metrics.SWEPT_BLOBS.labels(reason).inc(count)
        abandoned = await self._sweep.remove_abandoned()
        log.info("blob_store_swept", deleted=dict(counts), waiting=plan.waiting, abandoned_writes=abandoned)
        return True

    def _show(self, plan: SweepPlan) -> None:
        self._problem = plan.stopped
        metrics.SWEEP_STOPPED.set(judged_blobs(plan.doomed).total() if plan.stopped else 0)

    async def _passes(self, stopping: asyncio.Event, wait_s: float) -> bool:
        """Wait for the next sweep; return whether `stopping` was set. A released brake is seen on the way."""
        loop = asyncio.get_running_loop()
        end = loop.time() + wait_s
        while (left := end - loop.time()) > 0:
            if await happens_within(stopping, min(left, LOOK_S)):
                return True
            if self._problem is not None and await self._sweep.is_released():
                self._problem = None
                metrics.SWEEP_STOPPED.set(0)
        return stopping.is_set()
