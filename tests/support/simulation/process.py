"""One simulated process: its tasks, its clock, its way to the log, and its end, which may come at any await.

A process that dies is never resumed: unlike a cancelled task it runs no `except` and no `finally`, as after SIGKILL.
"""

import asyncio
import contextvars
import random
from collections.abc import Coroutine, Generator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.support.simulation.network import Network

if TYPE_CHECKING:
    from tests.support.simulation.world import World

_current: contextvars.ContextVar["Process | None"] = contextvars.ContextVar("process", default=None)


def current_process() -> "Process | None":
    """The process whose code runs now; None outside of all processes."""
    return _current.get()


class Process:
    """A process of the simulated world. `name` is unique, `instance` is kept over restarts."""

    def __init__(self, name: str, world: "World", lag_s: float, instance: str = "") -> None:
        self.name = name
        self.instance = instance or name
        self.world = world
        self.chances = random.Random(f"{world.seed}/{name}")
        self.tasks: set[asyncio.Task[Any]] = set()
        self.failure: BaseException | None = None
        self.dead = False
        self.in_group = True
        self.deaf_until = 0.0
        self.frozen_until = 0.0
        self.skew_s = 0.0
        self.steps = 0
        self.dies_at: int | None = None
        self.online = asyncio.Event()
        self.online.set()
        self.stopping = asyncio.Event()
        self.network = Network(self, lag_s)

    def clock(self) -> datetime:
        """Its own time, which a jump of its clock changes (piperoll.clock.Clock)."""
        return self.world.loop.clock() + timedelta(seconds=self.skew_s)

    def start(self) -> None:
        """Run it."""
        context = contextvars.copy_context()
        context.run(_current.set, self)
        self.main = context.run(self.world.loop.create_task, self.live())
        self.main.add_done_callback(self._ended)

    async def live(self) -> None:
        """All that it does until `stopping` is set."""
        raise NotImplementedError

    def crash(self) -> None:
        """End it from one moment to the next. What is on its way to the log may still arrive."""
        self._kill()
        self.world.loop.call_later(self.world.session_s, self.leave_group)

    def crash_at(self, steps: int) -> None:
        """Crash it at an await: when it has been resumed `steps` more times."""
        self.dies_at = self.steps + steps

    def freeze(self, seconds: float) -> None:
        """Resume nothing of it for a while, as after SIGSTOP and SIGCONT."""
        self.frozen_until = self.world.loop.time() + seconds
        if seconds > self.world.session_s:
            self.world.loop.call_later(self.world.session_s, self.leave_group)
            self.world.loop.call_later(seconds, self.rejoin)

    async def drain(self) -> None:
        """Stop it in good order."""
        self.stopping.set()
        await asyncio.wait([self.main])
        self.leave_group()

    def leave_group(self) -> None:
        """Its partitions go to others."""
        self.in_group = False
        self.world.deal()

    def rejoin(self) -> None:
        """It is a member again, unless it has ended."""
        if not self.main.done():
            self.in_group = True
            self.world.deal()

    def may_resume(self) -> bool:
        """Count a resumption; False for a process that has ended, or ends with it."""
        self.steps += 1
        if self.dies_at is not None and self.steps > self.dies_at and not self.dead:
            self.crash()
        return not self.dead

    def thaw(self) -> "asyncio.Future[None] | None":
        """While it is frozen, what a task has to await before it goes on."""
        loop = self.world.loop
        if loop.time() >= self.frozen_until:
            return None
        future: asyncio.Future[None] = loop.create_future()
        loop.call_at(self.frozen_until, lambda: future.done() or future.set_result(None))
        future._asyncio_future_blocking = True  # as Future.__await__ marks what it yields to a task
        return future

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled():
            self.failure = task.exception()
        if not self.dead:
            self._kill()
            self.leave_group()
        self.world.on_end(self)

    def _kill(self) -> None:
        self.dead = True
        for task in list(self.tasks):
            self.world.graves.append(task.get_coro())
            task.cancel()
        self.on_death()

    def on_death(self) -> None:
        """What ends with it outside of its own tasks."""


class Stepped(Coroutine[Any, Any, Any]):
    """A coroutine of a process, as its task drives it: each resumption is a point at which the process may end."""

    def __init__(self, inner: Coroutine[Any, Any, Any], process: Process) -> None:
        self._inner = inner
        self._process = process
        self._kept: BaseException | None = None

    def send(self, value: Any) -> Any:
        if not self._process.may_resume():
            raise asyncio.CancelledError
        if (thawed := self._process.thaw()) is not None:
            return thawed
        if self._kept is not None:
            kept, self._kept = self._kept, None
            return self._inner.throw(kept)
        return self._inner.send(value)

    def throw(self, error: Any, *more: Any) -> Any:
        if self._process.dead:
            raise asyncio.CancelledError
        if (thawed := self._process.thaw()) is not None:
            self._kept = error
            return thawed
        return self._inner.throw(error)

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        raise TypeError("only a task drives it")


class NumberedTask(asyncio.Task[Any]):
    """A task with the same place in sets in every run of a story: asyncio keeps the tasks of a group in a set."""

    def __init__(self, work: Coroutine[Any, Any, Any], *, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        self._number = next(loop.numbers)  # type: ignore[attr-defined]
        super().__init__(work, loop=loop, **options)

    def __hash__(self) -> int:
        return self._number


def task_of_its_process(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **options: Any
) -> "asyncio.Task[Any]":
    """Every task belongs to the process that began it, so that all of them can end at once."""
    process = current_process()
    if process is None:
        return NumberedTask(work, loop=loop, **options)
    if process.dead:
        process.world.graves.append(work)
    task = NumberedTask(Stepped(work, process), loop=loop, **options)
    process.tasks.add(task)
    task.add_done_callback(process.tasks.discard)
    return task
