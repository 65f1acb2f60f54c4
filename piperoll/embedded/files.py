"""Files of the embedded stack: its claimed folder, private files written atomically, log rotation, ends of logs."""

import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import IO

from piperoll.embedded.errors import StackError

_LOG_LIMIT = 20 * 1024 * 1024  # bytes; a longer log is rotated when its process starts, one old log is kept


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, mode 0600: a reader sees the old file or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def private_folder(path: Path) -> Path:
    """Create the folder `path` if it is missing, make it 0700 and return it."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def claim_folder(data_dir: Path) -> IO[str]:
    """Lock the data folder until the returned file is closed or this process ends.

    Raises StackError if the folder cannot be used, or names the process that uses it.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        # Not the data folder itself: under root, Postgres's account must traverse it.
        for name in ("logs", "blobs", "kafka"):
            private_folder(data_dir / name)
        lock = (data_dir / "lock").open("a+")
    except OSError as error:
        raise StackError(f"{data_dir} cannot be used as data folder: {error.strerror}; choose another") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        user = _user_of(data_dir, lock)
        lock.close()
        raise StackError(
            f"{data_dir} is in use by another running stack{user}: stop that one first, or choose another data folder "
            "with --data-dir"
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _user_of(data_dir: Path, lock: IO[str]) -> str:
    """Return the process that holds the lock, and the URL of its API once it has one."""
    lock.seek(0)
    known = [f"process {number}"] if (number := lock.read().strip()) else []
    with suppress(OSError, ValueError, KeyError, TypeError):
        known.append(json.loads((data_dir / "stack.json").read_text(encoding="utf-8"))["api_url"])
    return f" ({', '.join(known)})" if known else ""


def rotate_long_log(path: Path) -> None:
    """Rename the log at `path` to `NAME.1`, replacing an older one, when it is longer than 20 MiB."""
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_name(f"{path.name}.1"))


def tail(path: Path, lines: int = 15) -> str:
    """Return the last `lines` lines of the file at `path`, 8 KiB at most; a note if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 8192))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return f"({path} does not exist)"
    return "\n".join(text.splitlines()[-lines:]) or f"({path} is empty)"
