"""Opens files and folders at or below an allowed root, and nothing else, whatever changes there meanwhile.

A path is walked part by part from its root, without following links, by descriptors that read nothing (O_PATH). Only
what is a regular file or a folder is then opened for reading: to open a device or a named pipe may act or wait.
"""

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

_STEP = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def root_of(path: Path, roots: Iterable[Path]) -> Path | None:
    """The root that a resolved path is at or below."""
    return next((root for root in roots if path.is_relative_to(root)), None)


def open_file(path: Path, root: Path) -> BinaryIO:
    """Open a regular file at a resolved path. Raises OSError, also for a link or a device on the way."""
    return os.fdopen(_opened(path, root, stat.S_ISREG), "rb")


def open_folder(path: Path, root: Path) -> int:
    """Return the descriptor of a folder at a resolved path, to be listed and closed. Raises OSError as `open_file`."""
    return _opened(path, root, stat.S_ISDIR)


def _opened(path: Path, root: Path, is_wanted: Callable[[int], bool]) -> int:
    handle = _walked(path, root)
    try:
        if not is_wanted(os.fstat(handle).st_mode):
            raise IsADirectoryError(f"{path} is of another kind")
        return os.open(f"/proc/self/fd/{handle}", _READ)
    finally:
        os.close(handle)


def _walked(path: Path, root: Path) -> int:
    handle = os.open(root, _STEP)
    for part in path.relative_to(root).parts:
        outer = handle
        try:
            handle = os.open(part, _STEP, dir_fd=outer)
        finally:
            os.close(outer)
    return handle
