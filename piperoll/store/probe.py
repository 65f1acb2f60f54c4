"""Distinguishes an outage of the blob store from a fault of one blob."""

import asyncio

from piperoll.store.blobs import CHECK_BYTES, AsyncBlobs, BlobStoreError

MOST_SIZES = 1000  # with an answer in memory


class StoreProbe:
    """Tries the store with a blob. Questions about one size that are asked at once share a trial.

    No other probe must have its `name` at the same time: it would delete the blob. A name that is the same after a
    restart has what a killed process left deleted. No trial is of more than `largest` bytes.
    """

    def __init__(self, blobs: AsyncBlobs, name: str, largest: int = CHECK_BYTES) -> None:
        self._blobs = blobs
        self._name = name
        self._largest = largest
        self._lock = asyncio.Lock()  # nor another trial
        self._last: dict[int, tuple[float, bool]] = {}

    async def answers(self, size: int = CHECK_BYTES) -> bool:
        """Whether the store takes a blob of `size` bytes and returns it, by a trial that began after the call.

        Small sizes are rounded up to CHECK_BYTES. A larger size is tried as it is: a disk that is nearly full, or a
        store with a limit, may take it and refuse one that is little larger.
        """
        loop = asyncio.get_running_loop()
        asked, size = loop.time(), max(CHECK_BYTES, min(size, self._largest))
        async with self._lock:
            if self._last.get(size, (float("-inf"), False))[0] < asked:
                if len(self._last) >= MOST_SIZES:
                    self._last.clear()
                began = loop.time()
                self._last[size] = began, await self._try(size)
            return self._last[size][1]

    async def _try(self, size: int) -> bool:
        try:
            await self._blobs.check(self._name, size)
        except BlobStoreError:
            return False
        return True
