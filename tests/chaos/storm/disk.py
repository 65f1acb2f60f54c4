"""A small disk for the blob store, which can be full or read-only: a tmpfs, which needs root and the right to mount."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import wait_until

SIZE = "512m"
PAGE = 4096
_MOUNT = ("mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0711", "piperoll-storm")


@dataclass(frozen=True, slots=True)
class Disk:
    """The folder of the disk. Without a mount it is an ordinary folder, which cannot be filled."""

    root: Path
    mounted: bool

    @property
    def blobs(self) -> Path:
        """The folder of the blob store."""
        return self.root / "blobs"

    async def fill(self) -> None:
        """Make the disk as small as what is on it."""

        async def full() -> bool:
            state = os.statvfs(self.root)
            used = (state.f_blocks - state.f_bfree) * state.f_frsize
            return await self._remount(f"size={max(used, PAGE)}")  # refused if it grew meanwhile

        await wait_until(full, 10, "the disk to be full")

    async def make_read_only(self) -> None:
        """Refuse every write; waits for a moment in which no file is open for writing."""
        await wait_until(lambda: self._remount("ro"), 10, "the disk to be read-only")

    async def heal(self) -> None:
        """Make it large and writable."""
        assert await self._remount(f"rw,size={SIZE}")

    async def _remount(self, options: str) -> bool:
        process = await asyncio.create_subprocess_exec(
            "mount", "-o", f"remount,{options}", str(self.root), stderr=asyncio.subprocess.DEVNULL
        )
        return await process.wait() == 0


@asynccontextmanager
async def disk(root: Path) -> AsyncIterator[Disk]:
    """A disk at `root`, mounted if this process may do so, until the end of the block."""
    (root / "blobs").mkdir(parents=True)
    mounted = os.geteuid() == 0 and await asyncio.to_thread(_run, *_MOUNT, str(root))
    (root / "blobs").mkdir(mode=0o700, exist_ok=True)
    try:
        yield Disk(root, mounted)
    finally:
        if mounted:
            await asyncio.to_thread(_run, "umount", "--lazy", str(root))


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
