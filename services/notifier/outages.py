"""Repeats what a store that is away keeps from being done, until it is back or we are to stop."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from piperoll.store.blobs import BlobStoreError
from services.notifier.hooks.queue import TRANSIENT

log = structlog.get_logger()

FIRST_PAUSE_S = 0.2
MAX_PAUSE_S = 5.0


async def until_done(what: str, call: Callable[[], Awaitable[None]], stopping: asyncio.Event) -> None:
    """Calls until it succeeds. Raises the store's error when it still fails at our end."""
    pause = FIRST_PAUSE_S
    while True:
        try:
            return await call()
        except (*TRANSIENT, BlobStoreError) as error:
            if stopping.is_set():
                raise
            log.warning("waiting_for_a_store", what=what, error=repr(error), again_in_s=pause)
            await _pause(pause, stopping)
            pause = min(pause * 2, MAX_PAUSE_S)


async def _pause(seconds: float, stopping: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
