"""Segments: files of a local blob store with small contents of many jobs, one per line.

A separate blob costs two folders, a file and an fsync; contents that arrive together in a segment share one write and
one fsync. A line is `{subject} {content}`; the uri `segments/{day}/{name}#{begin}-{end}` is the byte range of the
content. Erasure overwrites the range with blanks, and the sweep deletes segments without content. Object stores cannot
append, so they have no segments (docs/adr/0015-segments.md).
"""

import asyncio
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from uuid import uuid4

FOLDER = "segments"
MAX_CONTENT_BYTES = 64 * 1024
"""Larger contents are stored as separate blobs."""
MAX_SEGMENT_BYTES = 4 * 1024 * 1024
MAX_SEGMENT_AGE = timedelta(hours=1)
CLOSED_AFTER = 2 * MAX_SEGMENT_AGE
"""A segment that was created so long ago is no longer appended to."""
_NAME = re.compile(r"segments/([0-9]{4}-[0-9]{2}-[0-9]{2}/[0-9]{6})-[0-9a-f]{32}")
_URI = re.compile(rf"({_NAME.pattern})#([0-9]{{1,12}})-([0-9]{{1,12}})")
_BEGUN = "%Y-%m-%d/%H%M%S"


@dataclass(frozen=True, slots=True)
class SegmentRange:
    """The byte range of a content: the segment's path below the store's root, begin and end, exclusive."""

    segment: str
    begin: int
    end: int

    @property
    def uri(self) -> str:
        """The uri in a claim."""
        return f"{self.segment}#{self.begin}-{self.end}"


@dataclass(frozen=True, slots=True)
class SegmentLine:
    """A content in a segment that is not erased."""

    subject: str
    range: SegmentRange


def range_of(uri: str) -> SegmentRange | None:
    """Return the range of a segment's uri; None for the uri of a separate blob."""
    found = _URI.fullmatch(uri)
    return None if found is None else SegmentRange(found[1], int(found[3]), int(found[4]))


def created_at(uri: str) -> datetime | None:
    """Return a segment's creation time from its name; None for other blobs. Its contents are up to an hour younger."""
    found = _NAME.fullmatch(uri)
    return None if found is None else datetime.strptime(found[1], _BEGUN).replace(tzinfo=UTC)


def read(root: Path, where: SegmentRange) -> bytes:
    """Return the content of a range. Raises FileNotFoundError when it was erased, or is not within the segment."""
    handle = os.open(root / where.segment, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if not where.begin <= where.end <= os.fstat(handle).st_size:
            raise FileNotFoundError(f"no content at {where.uri}")
        content = os.pread(handle, where.end - where.begin, where.begin)
    finally:
        os.close(handle)
    if len(content) != where.end - where.begin or not content.strip():
        raise FileNotFoundError(f"no content at {where.uri}")
    return content


def blank(root: Path, where: SegmentRange) -> None:
    """Overwrite the content of a range with blanks. Raises FileNotFoundError when the segment does not exist."""
    handle = os.open(root / where.segment, os.O_WRONLY)
    try:
        if where.end <= os.fstat(handle).st_size:
            os.pwrite(handle, b" " * (where.end - where.begin), where.begin)
            os.fsync(handle)
    finally:
        os.close(handle)


def lines(root: Path, segment: str) -> Iterator[SegmentLine]:
    """Yield the contents of a segment that are neither erased nor incomplete. Raises FileNotFoundError."""
    begin = 0
    with (root / segment).open("rb") as file:
        for line in file:
            subject, _, content = line.partition(b" ")
            if content.strip() and line.endswith(b"\n"):
                start = begin + len(subject) + 1
                yield SegmentLine(subject.decode(errors="replace"), SegmentRange(segment, start, begin + len(line) - 1))
            begin += len(line)


class SegmentWriter:
    """Appends to a segment of this process. Its calls block and must not be concurrent.

    `before` is called before a segment is created, and raises OSError for a store that must not be written.
    """

    def __init__(self, root: Path, before: Callable[[], None] = lambda: None) -> None:
        self._root = root
        self._before = before
        self._name = ""
        self._handle = -1
        self._end = 0
        self._begun = 0.0

    def append(self, contents: list[tuple[str, bytes]]) -> list[SegmentRange]:
        """Write contents, each with its subject, and return their ranges once they are on the disk. Raises OSError.

        Raises ValueError for a content with a line end, which JSON does not need.
        """
        self._roll()
        ranges, lines, end = [], [], self._end
        for subject, content in contents:
            line = b"%b %b\n" % (subject.encode(), content)
            if line.count(b"\n") != 1:
                raise ValueError("the content of a segment must be one line")
            end += len(line)
            lines.append(line)
            ranges.append(SegmentRange(self._name, end - len(content) - 1, end - 1))
        try:
            self._write(b"".join(lines))
        except BaseException:
            self._abandon()
            raise
        self._end = end
        return ranges

    def close(self) -> None:
        """Close the file. The next `append` creates another one."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _abandon(self) -> None:
        """Close a segment in which an unknown part was written; remove it if it has nothing else, as on a full disk."""
        self.close()
        if not self._end:
            with suppress(OSError):
                (self._root / self._name).unlink()

    def _roll(self) -> None:
        """Create a segment if none is open, or the open one is full or old."""
        old = time.monotonic() - self._begun > MAX_SEGMENT_AGE.total_seconds()
        if self._handle >= 0 and self._end < MAX_SEGMENT_BYTES and not old:
            return
        self.close()
        self._before()
        self._name = f"{FOLDER}/{datetime.now(UTC):{_BEGUN}}-{uuid4().hex}"
        path = self._root / self._name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._end = 0
        self._begun = time.monotonic()

    def _write(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._handle, rest) :]
        if self._end:
            os.fdatasync(self._handle)
        else:
            os.fsync(self._handle)  # also flushes the directory entry of a new file


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A content that is not yet on the disk, and the future of its range."""

    subject: str
    content: bytes
    range: asyncio.Future[SegmentRange]


class GroupCommit:
    """Group commit: contents that arrive during a write are written together by the next one.

    Uses its own thread, since an executor's futures cost as much as the writing.
    """

    def __init__(self, root: Path, before: Callable[[], None] = lambda: None) -> None:
        self._segment = SegmentWriter(root, before)
        self._groups: SimpleQueue[tuple[asyncio.AbstractEventLoop, list[_Waiting]] | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._waiting: list[_Waiting] = []
        self._busy = False

    async def append(self, subject: str, content: bytes) -> SegmentRange:
        """Return the range of the content once it is on the disk. Raises OSError."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(subject, content, loop.create_future())
        self._waiting.append(waiting)
        if not self._busy:
            self._busy = True
            loop.call_soon(self._begin, loop)  # together with what else arrives in this turn of the loop
        return await waiting.range

    def close(self, within_s: float) -> bool:
        """Write what is waiting, then stop the thread and close the file; return whether that was done in time."""
        if self._thread is not None:
            self._groups.put(None)
            self._thread.join(within_s)
            if self._thread.is_alive():
                return False  # it still uses the file
        self._segment.close()
        return True

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._work, name="segments", daemon=True)
            self._thread.start()
        group, self._waiting = self._waiting, []
        self._groups.put((loop, group))

    def _work(self) -> None:
        """Write one group after the other and report each to the loop. Runs in the thread."""
        while (order := self._groups.get()) is not None:
            loop, group = order
            ranges: list[SegmentRange] = []
            error: Exception | None = None
            try:
                ranges = self._segment.append([(one.subject, one.content) for one in group])
            except Exception as failure:  # noqa: BLE001 - raised to the waiting callers
                error = failure
            loop.call_soon_threadsafe(self._ended, loop, group, ranges, error)

    def _ended(
        self,
        loop: asyncio.AbstractEventLoop,
        group: list[_Waiting],
        ranges: list[SegmentRange],
        error: Exception | None,
    ) -> None:
        self._busy = bool(self._waiting)
        if self._busy:
            self._begin(loop)
        for index, one in enumerate(group):
            if one.range.done():
                continue  # the caller was cancelled
            if error is None:
                one.range.set_result(ranges[index])
            else:
                one.range.set_exception(error)
