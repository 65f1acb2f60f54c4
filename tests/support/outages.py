"""Work that waits for a store which does not answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from piperoll.outages import Outage


@asynccontextmanager
async def held_up(outage: Outage) -> AsyncIterator[None]:
    """While the block runs, one piece of work waits; afterwards it succeeds."""
    tried, back = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        tried.set()
        if not back.is_set():
            raise OSError("refused")

    waiting = asyncio.create_task(outage.outlast(work))
    await tried.wait()
    try:
        yield
    finally:
        back.set()
        await waiting


async def succeed(outage: Outage) -> None:
    """Do work that needs no waiting."""

    async def work() -> None:
        return None

    await outage.outlast(work)
