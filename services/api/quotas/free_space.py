"""The watermark of a local file system: below it nothing new is taken, so that running jobs can end."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from schemas.errors import ErrorCode
from services.api.http.errors import ApiError

LOOK_S = 1.0  # between two looks at the file system
SMALL_SHARE = 0.02  # of the file system: the watermark where that is less than the setting
RETRY_S = 60


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
            message = (
                f"the disk of this installation is nearly full: nothing new is taken until its operator has made room; "
                f"delete jobs and documents that are not needed, and try again in {RETRY_S} s"
            )
            headers = {"Retry-After": str(RETRY_S)}
            raise ApiError(507, ErrorCode.INSUFFICIENT_STORAGE, message, {"quota": "free_space"}, headers)

    def _is_full(self, folder: Path) -> bool:
        try:
            total, _, free = self._usage(folder)
        except OSError:
            return False  # the store itself reports that it is away
        return free < min(self._min_free, total * SMALL_SHARE)
