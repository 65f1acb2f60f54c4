"""The worker's folder for runs in progress, each in a folder of its own. Nothing in there outlives the worker.

A worker that was killed cannot clean up, so the next one to start in the same place does. A lock that dies with
its process (flock) tells the two apart: what can be locked has no owner.
"""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "piperoll-work-"
LOCK = "lock"


class ScratchFolder:
    """A new, locked, private folder under `parent` (the system's place for temporary files when empty)."""

    def __init__(self, parent: str) -> None:
        place = Path(parent or tempfile.gettempdir())
        place.mkdir(parents=True, exist_ok=True)
        _sweep(place)
        # Locked under another name first: a sweep between making and locking would take it for an orphan.
        made = Path(tempfile.mkdtemp(prefix=f"new-{PREFIX}", dir=place))
        self._lock = (made / LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.path = made.rename(place / made.name.removeprefix("new-"))

    def clear(self, run: str) -> None:
        """Removes what a killed run left. Blocks on the disk; a run that left nothing costs one stat."""
        if (self.path / run).exists():
            shutil.rmtree(self.path / run, ignore_errors=True)

    def close(self) -> None:
        """Removes everything, and the lock last."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _sweep(place: Path) -> None:
    """Removes the folders of this user that no living worker holds."""
    for folder in place.glob(f"{PREFIX}*"):
        try:
            if folder.lstat().st_uid != os.getuid():
                continue
            with (folder / LOCK).open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except (BlockingIOError, FileNotFoundError, NotADirectoryError):
            continue  # held by a living worker, or removed by another one that starts right now
