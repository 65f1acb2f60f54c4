"""The watermark of a local file system: below it nothing new is taken, so that running jobs can end."""

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from piperoll.store.threads import DaemonThreads
from services.api.http.errors import disk_full

LOOK_S = 1.0  # between two looks at the file system
WAIT_S = 1.0  # for an answer: a network file system may hang, and then the last one counts
SMALL_SHARE = 0.02  # of the file system: the watermark where that is less than the setting


Usage = Callable[[Path], tuple[int, int, int]]
"""Returns total, used and free bytes. Raises OSError."""
Files = Callable[[Path], tuple[int, int]]
"""Returns how many files a file system can have, 0 for any number, and how many more. Raises OSError."""


def files_of(folder: Path) -> tuple[int, int]:
    """See Files."""
    found = os.statvfs(folder)
    return found.f_files, found.f_favail


class FreeSpace:
    """Whether a folder's file system has room. A store elsewhere (`folder` is None) always has."""

    def __init__(
        self,
        folder: Path | None,
        min_free_bytes: int,
        usage: Usage = shutil.disk_usage,
        files: Files = files_of,
    ) -> None:
        self._folder = folder
        self._min_free = min_free_bytes
        self._usage = usage
        self._files = files
        self._threads = DaemonThreads(1, "free_space")
        self._looking: asyncio.Future[bool] | None = None
        self._looked_at = float("-inf")
        self._full = False

    async def require(self) -> None:
        """Raise ApiError INSUFFICIENT_STORAGE (507) below the watermark."""
        if self._folder is None:
            return
        if self._looking is None and time.monotonic() - self._looked_at >= LOOK_S:
            await self._look(self._folder)
        if self._full:
            raise disk_full()

    async def _look(self, folder: Path) -> None:
        """Look at the file system, one look at a time, and take its answer, perhaps later."""
        self._looked_at = time.monotonic()
        self._looking = asyncio.get_running_loop().run_in_executor(self._threads, self._is_full, folder)
        self._looking.add_done_callback(self._answered)
        await asyncio.wait([self._looking], timeout=WAIT_S)

    def _answered(self, looking: "asyncio.Future[bool]") -> None:
        self._looking = None
        if not looking.cancelled():
            self._full = looking.result()

    def _is_full(self, folder: Path) -> bool:
        try:
            total, _, free = self._usage(folder)
            files, free_files = self._files(folder)
        except OSError:
            return False  # the store itself reports that it is away
        few_files = 0 < free_files < files * SMALL_SHARE  # some file systems know no number and report 0
        return free < min(self._min_free, total * SMALL_SHARE) or (few_files and self._min_free > 0)
