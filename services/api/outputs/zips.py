"""ZIP files as a stream: members in their order, one chunk of one member in memory.

The same members make the same bytes: times and systems are fixed. Members are stored, not deflated, so that the length
is known before the first byte; page images would not shrink anyway.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from zipfile import ZIP64_LIMIT, ZIP_FILECOUNT_LIMIT, ZipFile, ZipInfo

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time of the format
UNIX = 3
READABLE = 0o644 << 16  # the upper half holds Unix permissions (APPNOTE 4.4.15)
LOCAL_HEADER, DATA_DESCRIPTOR, CENTRAL_HEADER, END_RECORD = 30, 16, 46, 22  # APPNOTE 4.3, without ZIP64


@dataclass(frozen=True, slots=True)
class ZipMember:
    """A file in a ZIP. `chunks` reads it and yields exactly `size` bytes."""

    name: str
    size: int
    chunks: Callable[[], AsyncIterator[bytes]]


def zip_length(members: Sequence[ZipMember]) -> int | None:
    """Return the number of bytes that `zipped` yields; None beyond the limits of a plain ZIP, where headers grow."""
    names = sum(len(member.name.encode()) for member in members)
    frames = len(members) * (LOCAL_HEADER + DATA_DESCRIPTOR + CENTRAL_HEADER)
    total = frames + 2 * names + sum(member.size for member in members) + END_RECORD
    return None if total * 1.05 > ZIP64_LIMIT or len(members) > ZIP_FILECOUNT_LIMIT else total


async def zipped(members: Sequence[ZipMember]) -> AsyncIterator[bytes]:
    """Yield the ZIP's bytes."""
    sink = _Sink()
    with ZipFile(sink, "w") as archive:  # type: ignore[call-overload]  # a write-only stream is enough
        for member in members:
            with archive.open(_info(member), "w") as out:
                async for chunk in member.chunks():
                    out.write(chunk)
                    yield sink.take()
    yield sink.take()


def _info(member: ZipMember) -> ZipInfo:
    info = ZipInfo(member.name, EPOCH)
    info.create_system = UNIX
    info.external_attr = READABLE
    info.file_size = member.size
    return info


class _Sink:
    """A write-only stream for zipfile."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Collect bytes."""
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""

    def take(self) -> bytes:
        """Return and drop the collected bytes."""
        taken = b"".join(self._written)
        self._written.clear()
        return taken
