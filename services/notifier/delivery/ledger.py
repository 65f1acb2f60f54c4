"""Writes outcomes in groups: one transaction for all attempts that ended during the last one."""

import asyncio
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import structlog

from services.notifier.delivery.due_receivers import ReceiverKey
from services.notifier.delivery.pace import RoundInterval
from services.notifier.delivery.wakeup import Wakeup
from services.notifier.outbox import TRANSIENT

log = structlog.get_logger()

GROUP = 500
ROUND_S = 0.01  # between two transactions
PAUSE_S = 1.0  # between tries while Postgres is unavailable; leases may expire meanwhile, and others deliver again


OutcomeT = TypeVar("OutcomeT")
OutcomeT_contra = TypeVar("OutcomeT_contra", contravariant=True)


class Settles(Protocol[OutcomeT_contra]):
    """The queue to which outcomes are written (services.notifier.hooks.queue)."""

    async def settle(self, outcomes: Sequence[OutcomeT_contra]) -> dict[ReceiverKey, float]:
        """Return the receivers that have more to send, with the seconds until then."""
        ...


class Ledger(Generic[OutcomeT]):
    """Takes outcomes from the dispatcher. `written` is set when there are facts for the relay."""

    def __init__(self, queue: Settles[OutcomeT], wakeup: Wakeup, written: asyncio.Event) -> None:
        self._queue = queue
        self._due = wakeup.due
        self._wake = wakeup.wake
        self._written = written
        self._outcomes: asyncio.Queue[OutcomeT] = asyncio.Queue()
        self._idle = asyncio.Event()
        self._idle.set()
        self._pace = RoundInterval(ROUND_S)

    def enter(self, outcome: OutcomeT) -> None:
        """Take one outcome, to be written soon."""
        self._idle.clear()
        self._outcomes.put_nowait(outcome)

    async def drained(self) -> None:
        """Wait until all outcomes taken so far are written."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write until cancelled. Unwritten outcomes are delivered again."""
        while True:
            group = [await self._outcomes.get()]
            await self._pace.turn()
            while len(group) < GROUP and not self._outcomes.empty():
                group.append(self._outcomes.get_nowait())
            await self._write(group)
            if self._outcomes.empty():
                self._idle.set()

    async def _write(self, group: list[OutcomeT]) -> None:
        while True:
            try:
                due = await self._queue.settle(group)
                break
            except TRANSIENT as error:
                log.warning("outcomes_wait_for_postgres", outcomes=len(group), error=repr(error))
                await asyncio.sleep(PAUSE_S)
        now = asyncio.get_running_loop().time()
        for receiver, in_s in due.items():
            self._due.hint(receiver, now + in_s)
        self._wake.set()
        self._written.set()
