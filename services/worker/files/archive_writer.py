"""Reproducible ZIP archives, written to disk one member at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

DOS_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time in a ZIP, for reproducible archives
UNIX = 3
READABLE = 0o644 << 16


class ArchiveWriter:
    """An open archive; members are in the order in which they are added."""

    def __init__(self, file: ZipFile) -> None:
        self._file = file
        self.names: list[str] = []

    def add(self, name: str, content: bytes, packed: bool = False) -> None:
        """Add a member. `packed` compresses it, which is useful for text only."""
        about = ZipInfo(name, DOS_EPOCH)
        about.create_system, about.external_attr = UNIX, READABLE
        self._file.writestr(about, content, ZIP_DEFLATED if packed else ZIP_STORED)
        self.names.append(name)


@contextmanager
def writing(path: Path) -> Iterator[ArchiveWriter]:
    """Create an archive at `path`, which is complete when the block has ended."""
    with ZipFile(path, "w", strict_timestamps=False) as file:
        yield ArchiveWriter(file)
