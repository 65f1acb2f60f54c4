"""What to do while Postgres or the blob store is away: wait, say so, try again. The position does not move.

Holds the list of errors that pass by themselves. Every other error is a fault, and ends the service.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import asyncpg
import structlog

from piperoll.postgres import POSTGRES_AWAY
from piperoll.store.blobs import BlobStoreError

log = structlog.get_logger()
T = TypeVar("T")

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0  # so that a store that is back is noticed within two seconds

OUTAGES = (BlobStoreError, *POSTGRES_AWAY, asyncpg.LockNotAvailableError)


class StoppedWaitingError(RuntimeError):
    """The service was told to stop during an outage. Nothing was lost: the checkpoint stands where it stood."""


class Outage:
    """Repeats what an outage interrupted, until it succeeds or `stopping` is set."""

    def __init__(self, store: str, stopping: asyncio.Event) -> None:
        self._store = store
        self._stopping = stopping
        self._problem: str | None = None

    def problem(self) -> str | None:
        """A sentence while the store is away."""
        return self._problem

    async def outlast(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work`. Raises StoppedWaitingError, and at once whatever is no outage."""
        for pause in pauses():
            try:
                result = await work()
            except (*OUTAGES, asyncpg.InterfaceError) as error:
                if isinstance(error, asyncpg.InterfaceError) and not _is_closed(error):
                    raise
                self._problem = f"{self._store} does not answer: {type(error).__name__}"
                log.warning("store_away", store=self._store, error=repr(error), next_try_s=pause)
                await self._wait(pause)
            else:
                if self._problem:
                    log.info("store_back", store=self._store)
                self._problem = None
                return result
        raise AssertionError("pauses never end")

    async def _wait(self, pause: float) -> None:
        try:
            async with asyncio.timeout(pause):
                await self._stopping.wait()
        except TimeoutError:
            return
        raise StoppedWaitingError(f"told to stop while {self._store} did not answer")


def pauses() -> Iterator[float]:
    """Seconds between tries: doubling, bounded, without end."""
    pause = FIRST_PAUSE_S
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE_S)


def _is_closed(error: asyncpg.InterfaceError) -> bool:
    """asyncpg says by this error both that a connection was lost and that it was misused; only the text differs."""
    return "closed" in str(error)
