"""The clock, passed as a parameter so that tests can control it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from typing import Any

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the current time with time zone UTC."""
    return datetime.now(UTC)


async def happens_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait up to `seconds` for the event; return whether it is set. A stoppable sleep, where it is the stop."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def pauses(first_s: float = 0.1, longest_s: float = 2.0) -> Iterator[float]:
    """Seconds between tries: doubling, bounded, without end. By default a recovery is noticed within two seconds."""
    pause = first_s
    while True:
        yield pause
        pause = min(2 * pause, longest_s)


async def first_of(*events: asyncio.Event) -> None:
    """Wait until one of several events is set."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waits:
            one.cancel()


async def ended_by(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Await `work`, and cancel it when `stopping` is set: for work that another process repeats.

    Raises its error, in a group.
    """
    async with asyncio.TaskGroup() as tasks:
        running, stop = tasks.create_task(work), tasks.create_task(stopping.wait())
        await asyncio.wait([running, stop], return_when=asyncio.FIRST_COMPLETED)
        running.cancel()
        stop.cancel()
