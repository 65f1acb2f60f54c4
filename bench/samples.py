"""Looking at something again and again while something else goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


@asynccontextmanager
async def sampled(look: Callable[[], T], every_s: float) -> AsyncIterator[list[T]]:
    """What `look` saw, from now until the end of the block; the list grows meanwhile."""
    seen = [look()]

    async def go_on() -> None:
        while True:
            await asyncio.sleep(every_s)
            seen.append(look())

    task = asyncio.create_task(go_on())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.wait([task])
    seen.append(look())
    if not task.cancelled():
        task.result()  # it ended by an error of `look`
