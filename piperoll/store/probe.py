"""Distinguishes an outage of the blob store from a fault of one blob."""

import asyncio
import secrets

from piperoll.store.blobs import CHECK_BYTES, AsyncBlobs, BlobStoreError


class StoreProbe:
    """Tries the store with a blob. Questions about one size that are asked at once share a trial."""

    def __init__(self, blobs: AsyncBlobs) -> None:
        self._blobs = blobs
        self._name = f"reader-{secrets.token_hex(8)}"  # another process must not delete it meanwhile
        self._lock = asyncio.Lock()  # nor another trial
        self._last: dict[int, tuple[float, bool]] = {}

    async def answers(self, size: int = CHECK_BYTES) -> bool:
        """Whether the store takes a blob of `size` bytes and returns it, by a trial that began after the call.

        Sizes are rounded up to powers of two: a disk that is nearly full takes small blobs and refuses larger ones.
        """
        loop = asyncio.get_running_loop()
        asked, size = loop.time(), _rounded(size)
        async with self._lock:
            if self._last.get(size, (float("-inf"), False))[0] < asked:
                began = loop.time()
                self._last[size] = began, await self._try(size)
            return self._last[size][1]

    async def _try(self, size: int) -> bool:
        try:
            await self._blobs.check(self._name, size)
        except BlobStoreError:
            return False
        return True


def _rounded(size: int) -> int:
    return max(CHECK_BYTES, 1 << (size - 1).bit_length())
