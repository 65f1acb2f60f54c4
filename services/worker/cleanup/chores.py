"""Chores: deletions that are repeated until they succeed, a few at a time, independent of each other.

A chore that fails waits for a separate pause and blocks no other one. Chores are lost with the process: the caller
keeps in a checkpoint what is needed to add them again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from piperoll.domain.run_retry import Backoff

log = structlog.get_logger()

WIDTH = 4  # concurrent chores: thousands take seconds, and jobs still get the disk
BACKOFF = Backoff(base=2.0, cap=60.0)  # so that an outage is over for all of them a minute after its end
PROBLEM_AFTER_S = 60.0  # shorter failures are ordinary

Act = Callable[[], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Chore:
    """One deletion. `failing_since` is a time of the event loop."""

    name: str
    act: Act
    failures: int = 0
    failing_since: float = 0.0
    error: str = ""


class Chores:
    """Works through chores. `name` identifies a chore: one that has not begun is not added twice."""

    def __init__(self, chances: random.Random) -> None:
        self._chances = chances
        self._ready: asyncio.Queue[Chore] = asyncio.Queue()
        self._waiting: dict[str, Chore] = {}
        self._failing: dict[str, Chore] = {}

    def add(self, name: str, act: Act, after_s: float = 0.0) -> None:
        """Do `act` once, `after_s` from now or later, and again after each failure."""
        if (waiting := self._waiting.get(name)) is not None:
            waiting.act = act
        else:
            self._wait(Chore(name, act), after_s)

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
            chore = await self._ready.get()
            self._waiting.pop(chore.name, None)  # what is added from now on has to be done after this
            try:
                await chore.act()
            except Exception as error:  # noqa: BLE001 - one chore must not end the others, whatever its fault
                self._postpone(chore, error)
            else:
                self._failing.pop(chore.name, None)

    def _postpone(self, chore: Chore, error: Exception) -> None:
        pause = BACKOFF.delay(chore.failures, self._chances.random())
        log.warning("deletion_failed", chore=chore.name, error=repr(error), failures=chore.failures + 1, next_s=pause)
        if chore.failures == 0:
            chore.failing_since = asyncio.get_running_loop().time()
        chore.failures += 1
        chore.error = str(error) or type(error).__name__
        self._failing[chore.name] = chore
        if chore.name not in self._waiting:  # else it was added again meanwhile
            self._wait(chore, pause)

    def _wait(self, chore: Chore, seconds: float) -> None:
        self._waiting[chore.name] = chore
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._ready.put_nowait, chore)
        else:
            self._ready.put_nowait(chore)
