"""An event loop whose time passes only when nothing is ready to run: a wait of an hour takes no time at all.

With it, code that waits in earnest can be watched through hours of faults in a second, and the same seed gives the
same course of events: nothing runs on other threads, nothing depends on how fast the machine is.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

T = TypeVar("T")

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
TINY_S = 1e-6
PATIENCE = 100_000  # rounds of the loop in which no time passed


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` stands still while anything can run, and then jumps to the next timer."""

    def __init__(self) -> None:
        self.now = 0.0
        self.numbers = count()
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self.now

    def clock(self) -> datetime:
        """The same time as a date (piperoll.clock.Clock)."""
        return EPOCH + timedelta(seconds=self.now)

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":  # type: ignore[override]
        """Runs it here and now: threads would bring back the machine's own time. The caller goes on a round later."""
        future: asyncio.Future[T] = self.create_future()
        try:
            self.call_soon(_resolve, future, func(*args), None)
        except Exception as error:  # noqa: BLE001 - any exception belongs to the awaiting code
            self.call_soon(_resolve, future, None, error)
        return future


def _resolve(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if future.done():
        return  # the caller was cancelled meanwhile
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self._moments = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("all tasks wait for each other: nothing will ever happen again")
        self._moments = 0 if timeout > TINY_S else self._moments + 1
        if self._moments > PATIENCE:
            raise RuntimeError("a task polls without waiting: that is a busy loop")
        if timeout > 0:
            self._loop.now += timeout
        return []  # nothing here reads a socket, or is called from another thread


def run_virtually(main: Coroutine[Any, Any, T], loop: VirtualLoop) -> T:
    """Runs `main` to its end; what it leaves behind is cancelled. The loop is closed."""
    try:
        return loop.run_until_complete(main)
    finally:
        if left := asyncio.all_tasks(loop):
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left))
        loop.close()
