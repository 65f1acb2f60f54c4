"""ZIP archives written to disk as they come, a member at a time, the same bytes for the same members."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

DOS_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP can name: members have none of their own
UNIX = 3
READABLE = 0o644 << 16


class ZipWriter:
    """An archive that is being written; members are in the order in which they are added."""

    def __init__(self, file: ZipFile) -> None:
        self._file = file
        self.names: list[str] = []

    def add(self, name: str, content: bytes, packed: bool = False) -> None:
        """Adds a member. `packed` for text: images are compressed already."""
        about = ZipInfo(name, DOS_EPOCH)
        about.create_system, about.external_attr = UNIX, READABLE
        self._file.writestr(about, content, ZIP_DEFLATED if packed else ZIP_STORED)
        self.names.append(name)


@contextmanager
def writing(path: Path) -> Iterator[ZipWriter]:
    """A new archive at `path`, whole when the block has ended."""
    with ZipFile(path, "w", strict_timestamps=False) as file:
        yield ZipWriter(file)
