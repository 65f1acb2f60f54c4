"""Removes folders that a hostile process has filled: of any depth, and closed to the account that owns them.

`shutil.rmtree` recurses, so a thousand folders in one another end it with RecursionError. Here folders are moved to
the top before they are emptied, so no path is long. All is done by descriptors: what becomes a link meanwhile is not
followed.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

PASSES: Final = 3  # a process that was killed a moment ago may still write
FOLDER: Final = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(folder: Path) -> None:
    """Remove a folder and all below it. What cannot be removed stays. Raises nothing."""
    for _ in range(PASSES):
        with suppress(OSError):
            top = _opened(str(folder), None)
            try:
                _empty(top)
            finally:
                os.close(top)
        with suppress(OSError):
            folder.rmdir()
        if not os.path.lexists(folder):
            return


def _empty(top: int) -> None:
    waiting = _sift(top, top)
    while waiting:
        name = waiting.pop()
        with suppress(OSError):
            handle = _opened(name, top)
            try:
                waiting += _sift(handle, top)
            finally:
                os.close(handle)
            os.rmdir(name, dir_fd=top)


def _sift(handle: int, top: int) -> list[str]:
    """Delete the files of a folder and move its folders to the top; return the names that they have there."""
    found: list[str] = []
    with os.scandir(handle) as entries:
        listed = list(entries)
    for entry in listed:
        with suppress(OSError):
            name = entry.name
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(name, dir_fd=handle)
                continue
            if handle != top:
                os.close(_opened(name, handle))  # to move a folder, one must be able to write to it
                os.rename(name, name := uuid4().hex, src_dir_fd=handle, dst_dir_fd=top)
            found.append(name)
    return found


def _opened(name: str, parent: int | None) -> int:
    """Open a folder, with all rights for its owner. Raises OSError."""
    try:
        handle = os.open(name, os.O_RDONLY | FOLDER, dir_fd=parent)
    except PermissionError:
        closed = os.open(name, os.O_PATH | FOLDER, dir_fd=parent)
        try:
            os.chmod(f"/proc/self/fd/{closed}", stat.S_IRWXU)  # noqa: PTH101 - of what is open, whatever its name is now
        finally:
            os.close(closed)
        return os.open(name, os.O_RDONLY | FOLDER, dir_fd=parent)
    if os.fstat(handle).st_mode & stat.S_IRWXU != stat.S_IRWXU:
        with suppress(OSError):
            os.fchmod(handle, stat.S_IRWXU)
    return handle
