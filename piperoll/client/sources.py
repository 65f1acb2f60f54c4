"""Files to upload: by path, as bytes, or open ones of the caller. Reading them is the only I/O."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeAlias

from piperoll.client.wire import FilePart

Source: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO
"""A file by its path, its bytes, or an open binary file, which is read from where it is."""
Sent: TypeAlias = Callable[[int, int], None]
"""Called with the number of bytes of a file that were sent, and their total, 0 if it is unknown."""
UNNAMED = "upload"


def part_of(source: Source, name: str | None, form: dict[str, str], sent: Sent | None) -> FilePart:
    """Return the part of a form for a source. Raises OSError if it cannot be read."""
    match source:
        case bytes():
            return FilePart(name or UNNAMED, lambda: SentFile(io.BytesIO(source), sent), form=form)
        case str() | os.PathLike():
            path = Path(source)
            path.open("rb").close()
            return FilePart(name or path.name, lambda: SentFile(path.open("rb"), sent), form=form)
    begin = source.tell() if source.seekable() else None
    return FilePart(
        name or _name_of(source),
        lambda: SentFile(source, sent, begin, borrowed=True),
        again=begin is not None,
        form=form,
    )


def _name_of(file: BinaryIO) -> str:
    given = getattr(file, "name", None)
    return Path(given).name if isinstance(given, str) else UNNAMED


class SentFile:
    """A file, or the rest of one from `begin` on, that reports how much of it was read.

    It can be measured by seeking, so that a request has its length; a file that cannot is sent in chunks.
    """

    def __init__(self, file: BinaryIO, sent: Sent | None, begin: int | None = 0, *, borrowed: bool = False) -> None:
        self._file = file
        self._sent = sent
        self._begin = begin
        self._borrowed = borrowed
        self._done = 0
        self._size = 0
        if begin is not None:
            self._size = file.seek(0, os.SEEK_END) - begin
            file.seek(begin)

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""
        piece = self._file.read(size)
        self._done += len(piece)
        if self._sent is not None and piece:
            self._sent(self._done, self._size)
        return piece

    def tell(self) -> int:
        """Return the number of bytes that were read."""
        return self._done

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place of the part that is sent. Raises io.UnsupportedOperation if the file cannot."""
        if self._begin is None:
            raise io.UnsupportedOperation("the file cannot be read again")
        self._done = offset + (self._size if whence == os.SEEK_END else 0)
        self._file.seek(self._begin + self._done)
        return self._done

    def close(self) -> None:
        """Close the file unless it is the caller's."""
        if not self._borrowed:
            self._file.close()
