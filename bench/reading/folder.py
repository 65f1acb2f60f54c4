"""Reads every file of a folder, each within a time limit, by one child process at a time."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from bench.reading.verdicts import Verdict, verdict_of

START_S: Final = 60.0
CHILD: Final = (sys.executable, "-m", "bench.reading.child")


def files_of(folder: Path) -> list[Path]:
    """Return the regular files below a folder, hidden ones left out, in order."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def verdicts(folder: Path, files: Sequence[Path], limit_s: float, command: Sequence[str] = CHILD) -> Iterator[Verdict]:
    """Yield the verdict on each file, which a process of `command` reads.

    A file that ends the process, or takes more than `limit_s` seconds, gets a verdict too. Raises RuntimeError if no
    process starts.
    """
    child: _Child | None = None
    try:
        for path in files:
            if child is None:
                child = _Child(command)
            began = time.monotonic()
            answer = child.ask(str(path), limit_s)
            if answer is None:
                late = time.monotonic() - began >= limit_s
                answer = {"outcome": "timed out" if late else "crashed", "reason": "the process ended"}
                child.end()
                child = None
            yield verdict_of(str(path.relative_to(folder)), answer, time.monotonic() - began)
    finally:
        if child is not None:
            child.end()


class _Child:
    """A process that reads files."""

    def __init__(self, command: Sequence[str]) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        self._rest = b""
        if self._line(START_S) is None:
            self.end()
            raise RuntimeError(f"{command} does not start")

    def ask(self, path: str, limit_s: float) -> dict[str, Any] | None:
        """Return the answer for a file; None if the process ended or did not answer within the limit."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(path).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return None
        line = self._line(limit_s)
        return None if line is None else json.loads(line)

    def end(self) -> None:
        """End the process and wait for its end."""
        self._process.kill()
        self._process.communicate()

    def _line(self, limit_s: float) -> bytes | None:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        deadline = time.monotonic() + limit_s
        while b"\n" not in self._rest:
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(pipe, 65_536) if ready else b""
            if not piece:
                return None
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return line
