"""Chores: deletions that are repeated until they succeed, a few at a time, independent of each other.

A chore that fails waits for a separate pause and blocks no other one; one that is added again meanwhile, because of
something new, is tried at once. One that fails for its own fault, which a retry does not mend, is not dropped, since
what it deletes must not stay: it is named as a problem and tried ever more rarely. Chores are lost with the process:
the caller keeps in a checkpoint what is needed to add them again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from piperoll.domain.run_retry import Backoff
from piperoll.store.blobs import BlobUnreadableError

log = structlog.get_logger()

WIDTH = 4  # concurrent chores: thousands take seconds, and jobs still get the disk
BACKOFF = Backoff(base=2.0, cap=60.0)  # so that an outage is over for all of them a minute after its end
OWN_BACKOFF = Backoff(base=2.0, cap=3600.0)  # after a fault of the chore itself, so that the log does not grow
OWN_FAULTS = (BlobUnreadableError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError)
"""Errors of what a chore is about, or of this program; all others may be an outage."""
AGAIN_S = 1.0  # at least between two tries that fail, however often the chore is added
PROBLEM_AFTER_S = 60.0  # shorter failures are ordinary

Act = Callable[[], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Chore:
    """One deletion. `due`, `failing_since` and `failed_at` are times of the event loop."""

    name: str
    act: Act
    due: float = 0.0
    failures: int = 0
    failing_since: float = 0.0
    failed_at: float = 0.0
    error: str = ""


class Chores:
    """Works through chores. `name` identifies a chore: one that has not begun is not added twice."""

    def __init__(self, chances: random.Random) -> None:
        self._chances = chances
        self._ready: asyncio.Queue[tuple[Chore, float]] = asyncio.Queue()
        self._waiting: dict[str, Chore] = {}
        self._failing: dict[str, Chore] = {}
        self._working: set[str] = set()

    def add(self, name: str, act: Act, after_s: float = 0.0) -> None:
        """Do `act` once, `after_s` from now or later, and again after each failure."""
        due = asyncio.get_running_loop().time() + after_s
        if (failing := self._failing.get(name)) is not None:
            due = max(due, failing.failed_at + AGAIN_S)
        chore = self._waiting.get(name)
        if chore is None:
            self._wait(Chore(name, act), due)
            return
        chore.act = act
        if due < chore.due:
            self._wait(chore, due)

    def problem(self) -> str | None:
        """A sentence while a chore has been failing for a minute or longer."""
        if not self._failing:
            return None
        oldest = min(self._failing.values(), key=lambda chore: chore.failing_since)
        seconds = asyncio.get_running_loop().time() - oldest.failing_since
        if seconds < PROBLEM_AFTER_S:
            return None
        return f"{len(self._failing)} deletions fail, {oldest.name} for {seconds:.0f} s: {oldest.error}"

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set."""
        async with asyncio.TaskGroup() as tasks:
            workers = [tasks.create_task(self._work()) for _ in range(WIDTH)]
            await stopping.wait()
            for worker in workers:
                worker.cancel()

    async def _work(self) -> None:
        while True:
            chore, due = await self._ready.get()
            if self._waiting.get(chore.name) is not chore or chore.due != due:
                continue  # its time was changed: it has begun already, or comes again
            if chore.name not in self._working:  # else it waits for the end of that
                del self._waiting[chore.name]  # what is added from now on has to be done after this
                await self._do(chore)

    async def _do(self, chore: Chore) -> None:
        self._working.add(chore.name)
        try:
            await chore.act()
        except Exception as error:  # noqa: BLE001 - one chore must not end the others, whatever its fault
            self._postpone(chore, error)
        else:
            self._failing.pop(chore.name, None)
            if (added := self._waiting.get(chore.name)) is not None:
                self._wait(added, added.due)
        finally:
            self._working.discard(chore.name)

    def _postpone(self, chore: Chore, error: Exception) -> None:
        now = chore.failed_at = asyncio.get_running_loop().time()
        backoff = OWN_BACKOFF if isinstance(error, OWN_FAULTS) else BACKOFF
        due = now + backoff.delay(chore.failures, self._chances.random())
        if (added := self._waiting.get(chore.name)) is not None:  # meanwhile; this one takes its place
            chore.act, due = added.act, min(due, max(added.due, now + AGAIN_S))
        log.warning(
            "deletion_failed", chore=chore.name, error=repr(error), failures=chore.failures + 1, next_s=due - now
        )
        if chore.failures == 0:
            chore.failing_since = now
        chore.failures += 1
        chore.error = str(error) or type(error).__name__
        self._failing[chore.name] = chore
        self._wait(chore, due)

    def _wait(self, chore: Chore, due: float) -> None:
        chore.due = due
        self._waiting[chore.name] = chore
        loop = asyncio.get_running_loop()
        if due > loop.time():
            loop.call_at(due, self._ready.put_nowait, (chore, due))
        else:
            self._ready.put_nowait((chore, due))
