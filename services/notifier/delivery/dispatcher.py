"""Sends what is due: assigns free capacity to receivers, claims, posts, passes outcomes to the ledger.

Limits are per process; several processes share the queue, separated by leases.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import structlog

from piperoll.clock import happens_within
from piperoll.settings import Settings
from piperoll.webhooks.attempts import Attempted
from services.notifier import metrics
from services.notifier.delivery import breaker
from services.notifier.delivery.attempt import Lease
from services.notifier.delivery.breaker import CLOSED, Breaker
from services.notifier.delivery.due_receivers import ReceiverKey, deal
from services.notifier.delivery.ledger import Ledger
from services.notifier.delivery.pace import RoundInterval
from services.notifier.delivery.wakeup import Wakeup
from services.notifier.outbox import TRANSIENT

log = structlog.get_logger()

LOOK_S = 1.0  # between two queries for what is due without a hint: other processes, ended leases
ROUND_S = 0.005  # between two claims: 8 hooks in flight to one receiver still make 1,000 a second
LEASE_MARGIN_S = 15.0  # beyond the longest timeout: reading the content before it, writing the outcome after it
FORGET_S = 600.0  # a failing receiver's state is dropped after so long without due rows
WRITE_S = 3.0  # for the last outcomes, if Postgres is unavailable at the stop
DRAIN_S = 6.0  # for attempts in flight at the stop (piperoll.runtime.DRAIN_S)


class HasReceiver(Protocol):
    """A claimed row."""

    @property
    def owner(self) -> str:
        """The owner of the job."""
        ...

    @property
    def origin(self) -> str:
        """The origin of the receiver."""
        ...


class Gate(Protocol):
    """What must be known before a row is sent (services.notifier.readers.gate)."""

    @property
    def is_open(self) -> bool:
        """Whether it is known."""
        ...

    async def wait(self, stopping: asyncio.Event) -> None:
        """Return when it is known, or `stopping` is set."""
        ...


RowT = TypeVar("RowT", bound=HasReceiver)
OutcomeT = TypeVar("OutcomeT")
RowT_contra = TypeVar("RowT_contra", bound=HasReceiver, contravariant=True)
OutcomeT_co = TypeVar("OutcomeT_co", covariant=True)
RowT_co = TypeVar("RowT_co", bound=HasReceiver, covariant=True)


class Claims(Protocol[RowT_co]):
    """The queue from which rows are claimed (services.notifier.hooks.queue)."""

    async def due_receivers(self) -> dict[ReceiverKey, float]:
        """Receivers with something to send, and in how many seconds."""
        ...

    async def claim(self, rooms: Mapping[ReceiverKey, int], lease_s: float) -> Sequence[RowT_co]:
        """Leases due rows: at most `rooms[receiver]` of each."""
        ...


class Deliverer(Protocol[RowT_contra, OutcomeT_co]):
    """Sends a row to its receiver (services.notifier.hooks.courier)."""

    async def deliver(self, claimed: RowT_contra, lease: Lease) -> tuple[OutcomeT_co, Attempted | None]:
        """Return the outcome to write, and the attempt if one was made."""
        ...

    def released(self, claimed: RowT_contra) -> OutcomeT_co:
        """Return the outcome of an interrupted attempt."""
        ...


class Dispatcher(Generic[RowT, OutcomeT]):
    """One per process and queue. Hints wake it."""

    def __init__(
        self,
        settings: Settings,
        queue: Claims[RowT],
        ledger: Ledger[OutcomeT],
        courier: Deliverer[RowT, OutcomeT],
        wakeup: Wakeup,
        gate: Gate,
        lease_margin_s: float = LEASE_MARGIN_S,
    ) -> None:
        self._settings = settings
        self._queue = queue
        self._ledger = ledger
        self._courier = courier
        self._due = wakeup.due
        self._wake = wakeup.wake
        self._gate = gate
        self._lease_margin_s = lease_margin_s
        self._lease_s = max(settings.final_timeout_s, settings.progress_timeout_s) + lease_margin_s
        self._breakers: dict[ReceiverKey, Breaker] = {}
        self._in_flight: Counter[ReceiverKey] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pace = RoundInterval(ROUND_S)
        self._fault: BaseException | None = None
        self._next_look = 0.0
        self._problem: str | None = "the delivery queue has not been read yet"

    def problem(self) -> str | None:
        """A sentence while the queue cannot be reached."""
        return self._problem

    async def run(self, stopping: asyncio.Event) -> None:
        """Dispatch until `stopping` is set, then let attempts in flight end."""
        stopped = asyncio.create_task(_wake_at(stopping, self._wake))
        try:
            while not stopping.is_set():
                await self._gate.wait(stopping)
                self._wake.clear()
                if self._fault is not None:
                    raise self._fault
                try:
                    claimed = await self._round()
                    self._problem = None
                except TRANSIENT as error:
                    log.warning("dispatch_waits_for_postgres", error=repr(error))
                    self._problem = "Postgres does not answer the notifier"
                    self._next_look = self._now() + LOOK_S
                    claimed = 0
                if not claimed:
                    await self._wait()
        finally:
            stopped.cancel()
            await self._drain()

    async def _round(self) -> int:
        """Claim and start what may be sent now; return the number of rows."""
        now = self._now()
        if now >= self._next_look:
            self._next_look = now + LOOK_S
            self._breakers = {
                receiver: known for receiver, known in self._breakers.items() if now < known.paused_until + FORGET_S
            }
            due = await self._queue.due_receivers()
            self._due.correct({receiver: now + in_s for receiver, in_s in due.items()})
        if not self._dealt(now):
            return 0
        await self._pace.turn()
        wanted = self._dealt(now)
        self._due.forget(list(wanted))
        lease = Lease.taken(self._lease_margin_s)
        rows = await self._queue.claim(wanted, self._lease_s)
        if not self._gate.is_open:  # the claim met another server, which may not know what was sent
            for claimed in rows:
                self._ledger.enter(self._courier.released(claimed))
            return 0
        for claimed in rows:
            self._start(claimed, lease)
        found = Counter(_receiver(claimed) for claimed in rows)
        for receiver, room in wanted.items():
            if found[receiver] == room:
                self._due.hint(receiver, now)  # more rows may be due than were claimed
        return len(rows)

    def _dealt(self, now: float) -> dict[ReceiverKey, int]:
        """How many rows of each receiver may be claimed."""
        if (free := self._settings.delivery_concurrency - len(self._tasks)) <= 0:
            return {}
        bound = self._settings.receiver_concurrency
        rooms = {
            receiver: breaker.room(self._breakers.get(receiver, CLOSED), self._in_flight[receiver], bound, now)
            for receiver in self._due.ready(now)
        }
        busy: Counter[str] = Counter()
        for receiver, count in self._in_flight.items():
            busy[receiver.owner] += count
        return deal(free, busy, rooms)

    def _start(self, claimed: RowT, lease: Lease) -> None:
        receiver = _receiver(claimed)
        self._in_flight[receiver] += 1
        task = asyncio.create_task(self._deliver(claimed, lease))
        self._tasks.add(task)
        metrics.IN_FLIGHT.set(len(self._tasks))
        task.add_done_callback(lambda done: self._ended(done, receiver))

    def _ended(self, task: asyncio.Task[None], receiver: ReceiverKey) -> None:
        self._tasks.discard(task)
        metrics.IN_FLIGHT.set(len(self._tasks))
        self._in_flight[receiver] -= 1
        if not self._in_flight[receiver]:
            del self._in_flight[receiver]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fault = error
        self._wake.set()

    async def _deliver(self, claimed: RowT, lease: Lease) -> None:
        """Deliver one row, and enter the outcome."""
        try:
            outcome, attempted = await self._courier.deliver(claimed, lease)
        except asyncio.CancelledError:
            self._ledger.enter(self._courier.released(claimed))
            raise
        if attempted is not None:
            self._observe(_receiver(claimed), attempted)
        self._ledger.enter(outcome)

    def _observe(self, receiver: ReceiverKey, attempted: Attempted) -> None:
        after = breaker.observe(self._breakers.get(receiver, CLOSED), attempted, self._now())
        if after == CLOSED:
            self._breakers.pop(receiver, None)
        else:
            self._breakers[receiver] = after
        metrics.PAUSED.set(len(self._breakers))

    async def _wait(self) -> None:
        """Wait for a hint, the end of an attempt, the end of a pause, or the next query."""
        now = self._now()
        times = [self._next_look]
        if len(self._tasks) < self._settings.delivery_concurrency:
            times += [at for at in [self._due.next_due(now)] if at is not None]
            times += [known.paused_until for known in self._breakers.values() if known.paused_until > now]
        await happens_within(self._wake, max(0.0, min(times) - now))

    async def _drain(self) -> None:
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=DRAIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        try:
            async with asyncio.timeout(WRITE_S):
                await self._ledger.drained()
        except TimeoutError:
            log.warning("outcomes_left_unwritten")  # their leases expire and the hooks are sent again

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _receiver(claimed: HasReceiver) -> ReceiverKey:
    return ReceiverKey(claimed.owner, claimed.origin)


async def _wake_at(event: asyncio.Event, wake: asyncio.Event) -> None:
    await event.wait()
    wake.set()
