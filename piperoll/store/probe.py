"""Distinguishes an outage of the blob store from a fault of one blob."""

import asyncio
import secrets

from piperoll.store.blobs import AsyncBlobs, BlobStoreError


class StoreProbe:
    """Tries the store with a small blob. Questions that are asked at once share a trial."""

    def __init__(self, blobs: AsyncBlobs) -> None:
        self._blobs = blobs
        self._name = f"reader-{secrets.token_hex(8)}"  # another process must not delete it meanwhile
        self._lock = asyncio.Lock()  # nor another trial
        self._last: tuple[float, bool] = (float("-inf"), False)

    async def answers(self) -> bool:
        """Whether the store answers, by a trial that began after the call."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        async with self._lock:
            if self._last[0] < asked:
                began = loop.time()
                self._last = began, await self._try()
            return self._last[1]

    async def _try(self) -> bool:
        try:
            await self._blobs.check(self._name)
        except BlobStoreError:
            return False
        return True
