"""Waiting for a condition, bounded: the only way a test waits. A failure names what was waited for and seen last."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

T = TypeVar("T")
Exceptions = tuple[type[Exception], ...]

PATIENCE_S = 120.0
"""No wait gives up earlier: its bound ends a test that hangs, and does not judge how fast the machine is."""
FIRST_PAUSE_S = 0.005
LONGEST_PAUSE_S = 0.1
NOTHING_YET = "nothing yet"


class NeverHappenedError(AssertionError):
    """A condition that a test waited for did not come true in time."""


async def wait_until(
    predicate: Callable[[], T | Awaitable[T]],
    timeout: float,
    description: str,
    not_yet: Exceptions = (),
) -> T:
    """The first true value of `predicate`, which may be async; asked again and again.

    The wait ends after `timeout` seconds, or after PATIENCE_S where that is longer. An exception of a kind in
    `not_yet` counts as "not yet"; any other one ends the wait. Raises NeverHappenedError.
    """
    seen: object = NOTHING_YET
    for pause in _pauses(timeout):
        try:
            value = predicate()
            if inspect.isawaitable(value):
                value = await value
        except not_yet as error:
            seen = error
        else:
            if value:
                return value  # type: ignore[return-value]
            seen = value
        await asyncio.sleep(pause)
    raise NeverHappenedError(_sentence(timeout, description, seen))


def block_until(predicate: Callable[[], T], timeout: float, description: str, not_yet: Exceptions = ()) -> T:
    """The same for tests without an event loop: blocks this thread."""
    seen: object = NOTHING_YET
    for pause in _pauses(timeout):
        try:
            value = predicate()
        except not_yet as error:
            seen = error
        else:
            if value:
                return value
            seen = value
        time.sleep(pause)
    raise NeverHappenedError(_sentence(timeout, description, seen))


def _pauses(timeout: float) -> Iterator[float]:
    """Pauses between two looks, the first short; at least one look is made, and a last one when time is up."""
    end = time.monotonic() + _bound(timeout)
    pause = FIRST_PAUSE_S
    while (left := end - time.monotonic()) > 0:
        yield min(pause, left)
        pause = min(LONGEST_PAUSE_S, pause * 1.5)
    yield 0.0


def _bound(timeout: float) -> float:
    return max(timeout, PATIENCE_S)


def _sentence(timeout: float, description: str, seen: object) -> str:
    return f"waited {_bound(timeout):g} s for {description}; seen last: {seen!r}"
