"""Computing for large bodies: one at a time, and a part of the time for one owner.

A call of a library holds up all threads of the process until it returns, the event loop too. So large bodies are parsed
one after the other, and an owner's next one waits longer than its last one took.
"""

import asyncio
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar
from weakref import WeakValueDictionary

P = ParamSpec("P")
T = TypeVar("T")

REST = 3.0  # how long an owner rests after a computation, as a multiple of its time


class Computing:
    """The computations of all owners at this process."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()
        self._owners: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def run(self, owner: str, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of a call, on a thread, once it is the owner's turn. Raises what the call raises."""
        turn = self._owners.setdefault(owner, asyncio.Lock())
        await turn.acquire()
        took_s = 0.0
        try:
            async with self._one:
                began = time.monotonic()
                try:
                    return await asyncio.to_thread(call, *args, **kwargs)
                finally:
                    took_s = time.monotonic() - began
        finally:
            asyncio.get_running_loop().call_later(REST * took_s, turn.release)
