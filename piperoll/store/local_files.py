"""What a store in a folder needs of the file system beside reading and writing."""

import glob
import os
from contextlib import suppress
from pathlib import Path


def flush(path: Path) -> None:
    """Flush a file to the disk, before a fact refers to it.

    On journalling file systems (ext4, XFS, Btrfs) the fsync of a new file also flushes its directory entries.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_unfinished(path: Path) -> None:
    """Remove what killed processes left of writes to `path`: the store's library writes to `path#1` and so on first."""
    for left in path.parent.glob(f"{glob.escape(path.name)}#*"):
        with suppress(OSError):
            left.unlink()


def remove_empty(folder: Path) -> None:
    """Remove empty folders, innermost first."""
    for path, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):  # written to meanwhile, or already removed
            Path(path).rmdir()
