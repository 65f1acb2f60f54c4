"""ZIP files as a stream: members in the order given, stored as they are, one chunk of one member in memory.

The same members make the same bytes: no clock, no machine in them. Stored and not deflated, so that the length is
known before the first byte; page images would not shrink anyway.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from zipfile import ZIP64_LIMIT, ZIP_FILECOUNT_LIMIT, ZipFile, ZipInfo

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can say
UNIX = 3
READABLE = 0o644 << 16  # Unix permissions stand in the upper half (APPNOTE 4.4.15)
LOCAL_HEADER, DATA_DESCRIPTOR, CENTRAL_HEADER, END_RECORD = 30, 16, 46, 22  # APPNOTE 4.3, without ZIP64


@dataclass(frozen=True, slots=True)
class ZipMember:
    """A file in a ZIP. `chunks` begins to read it; it yields exactly `size` bytes."""

    name: str
    size: int
    chunks: Callable[[], AsyncIterator[bytes]]


def zip_length(members: Sequence[ZipMember]) -> int | None:
    """How many bytes `zipped` makes; None beyond what a plain ZIP can hold, where headers grow."""
    names = sum(len(member.name.encode()) for member in members)
    frames = len(members) * (LOCAL_HEADER + DATA_DESCRIPTOR + CENTRAL_HEADER)
    total = frames + 2 * names + sum(member.size for member in members) + END_RECORD
    return None if total * 1.05 > ZIP64_LIMIT or len(members) > ZIP_FILECOUNT_LIMIT else total


async def zipped(members: Sequence[ZipMember]) -> AsyncIterator[bytes]:
    """The ZIP's bytes."""
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
    """Where zipfile writes to: it hands on what came, and cannot be sought in."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Takes bytes over."""
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._written)
        self._written.clear()
        return taken
