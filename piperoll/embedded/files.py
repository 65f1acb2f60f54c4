"""Files of the embedded stack: private files written atomically, log rotation, ends of logs."""

import os
from pathlib import Path

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
