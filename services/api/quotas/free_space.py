"""The watermark of a local file system: below it nothing new is taken, so that running jobs can end."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from services.api.http.errors import disk_full

LOOK_S = 1.0  # between two looks at the file system
SMALL_SHARE = 0.02  # of the file system: the watermark where that is less than the setting


Usage = Callable[[Path], tuple[int, int, int]]
"""Returns total, used and free bytes. Raises OSError."""


class FreeSpace:
    """Whether a folder's file system has room. A store elsewhere (`folder` is None) always has."""

    def __init__(
        self,
        folder: Path | None,
        min_free_bytes: int,
        usage: Usage = shutil.disk_usage,
    ) -> None:
        self._folder = folder
        self._min_free = min_free_bytes
        self._usage = usage
        self._looked_at = float("-inf")
        self._full = False

    async def require(self) -> None:
        """Raise ApiError INSUFFICIENT_STORAGE (507) below the watermark."""
        if self._folder is None:
            return
        now = time.monotonic()
        if now - self._looked_at >= LOOK_S:
            self._looked_at = now
            self._full = await asyncio.to_thread(self._is_full, self._folder)  # a network file system may hang
        if self._full:
            raise disk_full()

    def _is_full(self, folder: Path) -> bool:
        try:
            total, _, free = self._usage(folder)
        except OSError:
            return False  # the store itself reports that it is away
        return free < min(self._min_free, total * SMALL_SHARE)
