"""Periodic work: hold late hooks, give up expired ones, remove old rows, measure."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import structlog

from piperoll.background import Background
from piperoll.clock import Clock, happens_within
from piperoll.domain.final_hook import HELD
from services.notifier import metrics
from services.notifier.hooks.give_up import end_hooks
from services.notifier.hooks.queue import SQL, HookQueue
from services.notifier.hooks.unroutable import Unroutable
from services.notifier.notices.queue import NoticeQueue
from services.notifier.outbox import SQL as OUTBOX_SQL
from services.notifier.outbox import TRANSIENT

log = structlog.get_logger()

WORK = "the sweep of the delivery queue"
GROUP = 500
SHOWN = 20  # job ids in one log line
KEEP_S = 30 * 86400.0  # the retention of the deliveries topic
MEASURE_EVERY_S = 15.0
HOLD_EVERY_S = 5.0
TIDY_EVERY_S = 300.0


class Sweep:
    """One per process; rows that another process sweeps are skipped."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        queue: HookQueue,
        notices: NoticeQueue,
        unroutable: Unroutable,
        patience_s: float,
        written: asyncio.Event,
        background: Background,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._queue = queue
        self._notices = notices
        self.unroutable = unroutable
        self._patience_s = patience_s
        self._written = written
        self._background = background
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Sweep at intervals until `stopping` is set. An outage of Postgres only delays it."""
        async with asyncio.TaskGroup() as tasks:
            for every_s, chore in (
                (HOLD_EVERY_S, self.hold_late),
                (HOLD_EVERY_S, self.unroutable.abandon),
                (HOLD_EVERY_S, self.withdraw_ended),
                (TIDY_EVERY_S, self.give_up),
                (TIDY_EVERY_S, self.give_up_notices),
                (TIDY_EVERY_S, self.remove_old),
                (TIDY_EVERY_S, self.forget_unfollowed),
                (MEASURE_EVERY_S, self.measure),
            ):
                tasks.create_task(self._now_and_then(every_s, chore, stopping))

    async def hold_late(self) -> None:
        """Hold final hooks first seen too late, and record it."""
        while await self._end("hold_late", (GROUP,), HELD) == GROUP:
            pass

    async def give_up(self) -> None:
        """Give up final hooks whose whole schedule has passed, as when a receiver was never available."""
        while await self._end("give_up", (GROUP, self._patience_s, self._clock()), "EXHAUSTED") == GROUP:
            pass

    async def give_up_notices(self) -> None:
        """The same for notices of endpoints."""
        while given_up := await self._notices.give_up(GROUP, self._patience_s, self._clock()):
            log.warning("notices_not_sent", notices=given_up, reason="EXHAUSTED")
            self._written.set()

    async def withdraw_ended(self) -> None:
        """Give up what endpoints had open when they ended, beyond what their end itself gave up."""
        while await self._notices.withdraw_ended(self._clock()):
            self._written.set()

    async def remove_old(self) -> None:
        """Remove rows of ended jobs and of settled notices, first seen 30 days ago."""
        while len(await self._pool.fetch(SQL["remove_old"], GROUP, KEEP_S)) == GROUP:
            pass
        while await self._notices.remove_old(GROUP, KEEP_S) == GROUP:
            pass

    async def forget_unfollowed(self) -> None:
        """Forget the jobs of owners without endpoints, beyond what the end of the last one forgot itself."""
        while await self._notices.forget_unfollowed():
            pass

    async def measure(self) -> None:
        """Measure the backlog and the outbox."""
        due, oldest_s = await self._queue.backlog()
        due_notices, oldest_notice_s = await self._notices.backlog()
        metrics.DUE.set(due + due_notices)
        metrics.OLDEST_DUE.set(max(oldest_s, oldest_notice_s))
        stuck = [row["job_id"] for row in await self._pool.fetch(SQL["unaccounted"])]
        metrics.UNACCOUNTED.set(len(stuck))
        if stuck:
            log.error("hooks_unaccounted", hooks=len(stuck), job_ids=stuck[:SHOWN])
        metrics.OUTBOX.set(await self._pool.fetchval(OUTBOX_SQL["outbox_size"]))

    async def _end(self, statement: str, arguments: tuple[Any, ...], reason: str) -> int:
        """End final hooks; return their number."""
        ended = await end_hooks(self._pool, statement, arguments, lambda row: reason, self._clock())
        if ended:
            self._written.set()
        return ended

    async def _now_and_then(
        self, every_s: float, chore: Callable[[], Awaitable[None]], stopping: asyncio.Event
    ) -> None:
        while not stopping.is_set():
            name = chore.__name__.replace("_", " ")
            try:
                await chore()
                self._background.recovered(WORK, name)
            except TRANSIENT as error:
                self._background.failed(WORK, error, name)
            await happens_within(stopping, every_s)
