"""The open file of an errand, as the child reads and writes it, and the heartbeat meanwhile."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

BEAT_S: Final = 1.0


class ErrandFileError(Exception):
    """The open file of an errand cannot be read or written. Nothing is known of the store by that."""

    def __init__(self, error: OSError, device: int) -> None:
        super().__init__(f"the file of an errand: {error}")
        self.number = error.errno or errno.EIO
        self.device = device


class ErrandFile:
    """The open file of an errand. Each call sends a heartbeat, without which the worker ends a run as stalled.

    Its errors are the sandbox's: it may have opened anything.
    """

    def __init__(self, file: BinaryIO, beat: Callable[[], None]) -> None:
        self._file = file
        self._beat = beat
        self._device = os.fstat(file.fileno()).st_dev
        self.error: ErrandFileError | None = None

    def __enter__(self) -> "ErrandFile":
        return self

    def __exit__(self, *_: object) -> None:
        with self._own_errors():
            self._file.close()

    def read(self, size: int = -1) -> bytes:
        """See io.RawIOBase.read. Raises ErrandFileError."""
        self._beat()
        with self._own_errors():
            return self._file.read(size)

    def write(self, content: bytes) -> None:
        """See io.RawIOBase.write. Raises ErrandFileError."""
        self._beat()
        with self._own_errors():
            self._file.write(content)

    @contextmanager
    def _own_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.error = ErrandFileError(error, self._device)
            raise self.error from error


class Heartbeat:
    """Calls `send` at most once in BEAT_S."""

    def __init__(self, send: Callable[[], None]) -> None:
        self._send = send
        self._sent = time.monotonic()

    def __call__(self) -> None:
        """Send if it is time."""
        if time.monotonic() - self._sent >= BEAT_S:
            self._sent = time.monotonic()
            self._send()
