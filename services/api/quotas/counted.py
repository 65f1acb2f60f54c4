"""A quota whose use is counted now and then, in the tables or in the blob store, and added up in between.

An admission costs no query: a count runs beside it when much was added, and before a refusal. So the limit is
approximate: each process adds up what it admits itself, and learns of the others with the next count. A count may
already have found what was admitted just before or beside it; nothing is refused because it was added a second time.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from piperoll.store.blobs import BlobStoreError
from services.api.http.errors import ApiError, ReadModelUnavailableError

log = structlog.get_logger()

Count = Callable[[str], Awaitable[int]]
"""Counts what an owner uses. Raises ReadModelUnavailableError or BlobStoreError."""

LAG_S = 0.5  # what was admitted so shortly before a count may not be stored yet, and is added to it
STEPS = 4  # a second: how exactly the time of an admission is kept
SHARE = 0.01  # of the limit: when so much was added, the use is counted again


@dataclass(slots=True)
class CountedUse:
    """What an owner uses: as it was counted, None before the first count, and what was admitted since."""

    counted: int | None = None
    tried_at: float = -math.inf
    failed: bool = False
    added: int = 0
    since: int = 0  # of `added`, what was admitted after the count began
    recent: deque[tuple[int, int]] = field(default_factory=deque)  # of `added`, by step of time
    added_at: float = -math.inf

    @property
    def known(self) -> int:
        """The most that the owner may use by now."""
        return (self.counted or 0) + self.added

    def add(self, amount: int, now: float) -> None:
        """Add what was admitted."""
        self.added += amount
        self.since += amount
        self.added_at = now
        self._forget(now)
        step = int(now * STEPS)
        if self.recent and self.recent[-1][0] == step:
            amount += self.recent.pop()[1]
        self.recent.append((step, amount))

    def count(self, counted: int, now: float) -> None:
        """Take a count that began `now`."""
        self._forget(now)
        self.counted, self.failed = counted, False
        # `recent` alone may lack what was admitted early in a count that took longer than LAG_S.
        self.added = max(self.since, sum(amount for _, amount in self.recent))

    def _forget(self, now: float) -> None:
        while self.recent and self.recent[0][0] < (now - LAG_S) * STEPS:
            self.recent.popleft()


class CountedQuota:
    """At most `limit` of something for each owner. A count is at most `life_s` old when something is refused.

    Where a refusal depends on what was added to the count, it waits for a count that has found all of that.
    """

    def __init__(self, limit: int, count: Count, life_s: float, refusal: Callable[[], ApiError]) -> None:
        self.limit = limit
        self._count = count
        self._life_s = life_s
        self._refusal = refusal
        self._uses: dict[str, CountedUse] = {}
        self._counting: dict[str, asyncio.Task[None]] = {}

    async def admit(self, owner: str, amount: int) -> None:
        """Add what an owner is about to use. Raises the refusal, an ApiError, if it does not fit.

        Nothing is refused while it cannot be counted, and nothing waits for a count then.
        """
        use = self._uses.setdefault(owner, CountedUse())
        if not self._fits(use, amount):
            await self._counted(owner)
        if not self._fits(use, amount) and (use.counted or 0) + amount <= self.limit:
            await self._counted_with_what_was_added(owner, use)
        if not self._fits(use, amount):
            raise self._refusal()
        if use.counted is None or use.failed or use.added + amount > self.limit * SHARE:
            self._begin_count(owner)  # before the addition, which it does not find yet
        use.add(amount, time.monotonic())

    async def used(self, owner: str) -> int | None:
        """Return what an owner uses now; None if that cannot be counted at present."""
        await self._counted(owner)
        use = self._uses[owner]
        return None if use.failed or use.counted is None else use.counted + use.since

    def _fits(self, use: CountedUse, amount: int) -> bool:
        return use.failed or use.known + amount <= self.limit

    async def _counted(self, owner: str) -> None:
        """Wait for a count that is young enough."""
        if (running := self._begin_count(owner)) is not None:
            await asyncio.shield(running)

    async def _counted_with_what_was_added(self, owner: str, use: CountedUse) -> None:
        """Wait for a count that begins when what was added so far is stored. Requests of an owner share it."""
        stored_at = use.added_at + LAG_S
        while use.tried_at < stored_at:
            await asyncio.sleep(stored_at - time.monotonic())
            if (running := self._begin_count(owner, stored_at)) is not None:
                await asyncio.shield(running)

    def _begin_count(self, owner: str, young_from: float | None = None) -> asyncio.Task[None] | None:
        """Return the count that runs; begin one unless the last one is young enough, or began at `young_from`."""
        use, now = self._uses.setdefault(owner, CountedUse()), time.monotonic()
        running = self._counting.get(owner)
        if running is None and use.tried_at < (now - self._life_s if young_from is None else young_from):
            use.tried_at, use.since = now, 0
            running = self._counting[owner] = asyncio.create_task(self._count_again(owner, use, now))
            running.add_done_callback(lambda _: self._counting.pop(owner))
        return running

    async def _count_again(self, owner: str, use: CountedUse, now: float) -> None:
        try:
            use.count(await self._count(owner), now)
        except (ReadModelUnavailableError, BlobStoreError) as error:
            use.failed = True
            log.info("use_not_counted", owner=owner, error=str(error))
