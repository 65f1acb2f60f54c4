"""Waiting while Postgres or the blob store is unavailable: log, pause, retry. A stop ends the wait.

Holds the list of temporary errors. Every other error is a fault and ends the service.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import structlog

from piperoll.clock import happens_within, pauses
from piperoll.postgres import POSTGRES_AWAY, refuses_a_value
from piperoll.store.blobs import BlobStoreError, BlobUnreadableError

log = structlog.get_logger()
T = TypeVar("T")

OUTAGES = (BlobStoreError, *POSTGRES_AWAY, asyncpg.LockNotAvailableError)


class StoppedWaitingError(RuntimeError):
    """The service was stopped during an outage. Nothing is lost: the checkpoint did not move."""


def raise_faults(ended: ExceptionGroup[Exception]) -> None:
    """Raise the first fault of a service by itself, so that the operator reads its message; a stopped wait is none."""
    stopped, faults = ended.split(StoppedWaitingError)
    if stopped is not None:
        log.info("stopped_during_an_outage", why=str(_first(stopped)))
    if faults is not None:
        raise _first(faults)


def _first(group: ExceptionGroup[Exception]) -> Exception:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


class Outage:
    """Repeats work that an outage interrupted, until it succeeds or `stopping` is set.

    Several works may wait at the same time: the success of one does not hide that another waits.
    """

    def __init__(self, store: str, stopping: asyncio.Event) -> None:
        self._store = store
        self._stopping = stopping
        self._waiting: dict[object, str] = {}

    def problem(self) -> str | None:
        """A sentence while the store is unavailable to any work."""
        return next(iter(self._waiting.values()), None)

    async def outlast(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return the result of `work`. Raises StoppedWaitingError, and other errors than outages at once."""
        one = object()
        try:
            return await self._outlast(work, one)
        finally:
            self._waiting.pop(one, None)

    async def _outlast(self, work: Callable[[], Awaitable[T]], one: object) -> T:
        """The same; `one` stands for this work among those that wait."""
        for pause in pauses():
            try:
                result = await work()
            except (*OUTAGES, asyncpg.InterfaceError) as error:
                if isinstance(error, BlobUnreadableError) or refuses_a_value(error):
                    raise  # about one blob or value: waiting does not help
                if isinstance(error, asyncpg.InterfaceError) and not _is_closed(error):
                    raise
                self._waiting[one] = f"{self._store} does not answer: {type(error).__name__}"
                log.warning("store_away", store=self._store, error=repr(error), next_try_s=pause)
                if await happens_within(self._stopping, pause):
                    raise StoppedWaitingError(f"stopped while {self._store} did not answer") from error
            else:
                if one in self._waiting:
                    log.info("store_back", store=self._store)
                return result
        raise AssertionError("pauses never end")


def _is_closed(error: asyncpg.InterfaceError) -> bool:
    """asyncpg raises this error for a connection that was lost and for one that was misused; only the text differs."""
    return "closed" in str(error)
