"""What a store in a folder does with the file system directly.

The library runs each call on another thread, which costs as much as the system calls of a small blob.
"""

import glob
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
UNFINISHED = re.compile(r"#[0-9]+$")
"""The end of the names under which this module and the store's library write; a blob must have another name."""
MOST_REMOVALS = 10  # of an empty folder, before a write in it fails


def create(path: Path, content: bytes) -> None:
    """Write a new file and its missing folders, whole or not at all, and flush it. Raises FileExistsError, OSError."""
    _write(path, content, _link)


def replace(path: Path, content: bytes) -> None:
    """As `create`, and replace the file that is there."""
    _write(path, content, os.replace)


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
    """Remove what killed processes left of writes to `path`, which go to `path#1` and so on first.

    If `path` is a folder, remove what they left of all writes to files in it. A write that still goes on then fails.
    """
    with suppress(FileNotFoundError):  # the folder around it was removed
        for left in path.parent.glob(f"{glob.escape(path.name)}#*"):
            _remove(left)
    for left in _left_below(path):
        _remove(left)


def remove_abandoned(root: Path, age_s: float) -> int:
    """Remove what writes left that were not written to for `age_s` seconds; return their number. Raises OSError."""
    found = 0
    latest = time.time() - age_s
    for left in _left_below(root):
        with suppress(FileNotFoundError):  # it was finished meanwhile
            if left.lstat().st_mtime < latest:
                left.unlink()
                found += 1
    return found


def remove_empty(folder: Path) -> None:
    """Remove empty folders, innermost first."""
    for path, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):  # written to meanwhile, or already removed
            Path(path).rmdir()


def _left_below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that have no name yet. Others may remove folders meanwhile."""
    for within, _, names in os.walk(folder):
        yield from (Path(within, name) for name in names if UNFINISHED.search(name))


def _remove(left: Path) -> None:
    if UNFINISHED.search(left.name):
        with suppress(OSError):
            left.unlink()


def _write(path: Path, content: bytes, give_name: Callable[[str, Path], None]) -> None:
    handle, unfinished = _unfinished(path)
    try:
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(handle, rest) :]
            give_name(unfinished, path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)  # only now: once it has its name, another writer may take this one
            raise
        os.fsync(handle)
    finally:
        os.close(handle)


def _unfinished(path: Path) -> tuple[int, str]:
    """Create a file beside `path`, with a name that the store's library leaves out of listings; return it open."""
    for number in count(1):
        unfinished = f"{path}#{number}"
        with suppress(FileExistsError):  # of another writer of the same blob, or of a killed process
            return _open_new(Path(unfinished)), unfinished
    raise AssertionError("unreachable")


def _open_new(path: Path) -> int:
    """Create a file and its missing folders. Raises FileExistsError."""
    for _ in range(MOST_REMOVALS):
        with suppress(FileNotFoundError):  # no folder yet, or an erasure removed it while it was empty
            return os.open(path, NEW_FILE, 0o666)
        path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, NEW_FILE, 0o666)


def _link(unfinished: str, path: Path) -> None:
    """Give a file its name unless another one has it. Afterwards `unfinished` is free for other writers."""
    os.link(unfinished, path)
    Path(unfinished).unlink(missing_ok=True)
