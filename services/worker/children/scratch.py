"""The worker's folder for runs in progress, with a folder for each child, removed with the worker.

A killed worker cannot clean up, so the next one to start in the same place does. A lock that ends with its process
(flock) distinguishes them: a folder that can be locked has no owner.
"""

import fcntl
import os
import tempfile
from pathlib import Path

from services.worker.children.tree_removal import remove_tree

PREFIX = "piperoll-work-"
LOCK = "lock"
CHECK = "check"
CHECK_BYTES = 64 * 1024


def folder_of(child: int) -> str:
    """The name of a child's folder, by its process id."""
    return f"child-{child}"


class ScratchFolder:
    """A new, locked, private folder under `parent` (if empty, the system's temporary folder)."""

    def __init__(self, parent: str) -> None:
        place = Path(parent or tempfile.gettempdir())
        place.mkdir(parents=True, exist_ok=True)
        _sweep(place)
        # Locked under another name first: a sweep between creation and lock would remove it as an orphan.
        made = Path(tempfile.mkdtemp(prefix=f"new-{PREFIX}", dir=place))
        self._lock = (made / LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        made.chmod(0o711)  # the accounts of sandboxes reach their own folders in it, and list none
        self.path = made.rename(place / made.name.removeprefix("new-"))

    def check(self) -> None:
        """Write a file, as large as a small source, and remove it. Raises OSError, as on a full disk."""
        path = self.path / CHECK
        try:
            path.write_bytes(bytes(CHECK_BYTES))
        finally:
            path.unlink(missing_ok=True)

    def clear(self, child: int) -> None:
        """Remove the folder of a child that has ended, by its process id. Blocks on the disk."""
        remove_tree(self.path / folder_of(child))

    def close(self) -> None:
        """Remove everything, and the lock last."""
        remove_tree(self.path)
        self._lock.close()


def _sweep(place: Path) -> None:
    """Remove the folders of this user that no living worker holds."""
    for folder in place.glob(f"{PREFIX}*"):
        try:
            if folder.lstat().st_uid != os.getuid():
                continue
            with (folder / LOCK).open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_tree(folder)
        except OSError:
            continue  # held by a living worker, removed by another one that starts right now, or without a lock
