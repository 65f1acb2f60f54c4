"""Acts on many items, a bounded number of them at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar

from piperoll.log.contract import AppendError

T = TypeVar("T")

CHUNK = 100  # the disk and the broker are busy, the loop is not blocked


async def in_chunks(items: Sequence[T], act: Callable[[T], Awaitable[None]]) -> None:
    """Act on each item, CHUNK at a time. Raises an error of a chunk after all of the chunk have ended.

    That is the first AppendError, whose record may be in the log; without one, the first error.
    """
    for some in sliced(items, CHUNK):
        ends = await asyncio.gather(*(act(item) for item in some), return_exceptions=True)
        errors = [end for end in ends if end is not None]
        for error in errors:
            if isinstance(error, AppendError):
                raise error
        if errors:
            raise errors[0]


def sliced(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in order, at most `size` at once."""
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]
