"""Segments: files of a local blob store in which small documents of many jobs lie, one a line.

A file of its own costs a document two folders, a file and an fsync; documents that arrive together in a segment share
one write and one fsync. A line is `{subject} {document}`; the uri `segments/{day}/{name}#{begin}-{end}` names the
document's bytes in it. Erasing one blanks these bytes in place, and a segment without documents is deleted by the
sweep. Object stores cannot append, so they have none (docs/adr/0015-segments.md).
"""

import asyncio
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from uuid import uuid4

FOLDER = "segments"
MAX_DOCUMENT_BYTES = 64 * 1024
"""What is larger gains nothing by company, and gets a blob of its own."""
MAX_SEGMENT_BYTES = 4 * 1024 * 1024
MAX_SEGMENT_AGE = timedelta(hours=1)
CLOSED_AFTER = 2 * MAX_SEGMENT_AGE
"""Nobody appends any more to a segment that was begun so long ago."""
_NAME = re.compile(r"segments/([0-9]{4}-[0-9]{2}-[0-9]{2}/[0-9]{6})-[0-9a-f]{32}")
_URI = re.compile(rf"({_NAME.pattern})#([0-9]{{1,12}})-([0-9]{{1,12}})")
_BEGUN = "%Y-%m-%d/%H%M%S"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document lies: the segment's path below the store's root, and its bytes, the end exclusive."""

    segment: str
    begin: int
    end: int

    @property
    def uri(self) -> str:
        """The place as a claim names it."""
        return f"{self.segment}#{self.begin}-{self.end}"


@dataclass(frozen=True, slots=True)
class Line:
    """A document that a segment still holds."""

    subject: str
    place: Place


def place_of(uri: str) -> Place | None:
    """The place that a uri names; None for a blob of its own."""
    found = _URI.fullmatch(uri)
    return None if found is None else Place(found[1], int(found[3]), int(found[4]))


def begun_at(uri: str) -> datetime | None:
    """When a segment was begun, by its name; None for what is none. Its documents are younger by an hour at most."""
    found = _NAME.fullmatch(uri)
    return None if found is None else datetime.strptime(found[1], _BEGUN).replace(tzinfo=UTC)


def read(root: Path, place: Place) -> bytes:
    """The document at a place. Raises FileNotFoundError when it was erased."""
    with (root / place.segment).open("rb") as file:
        content = os.pread(file.fileno(), place.end - place.begin, place.begin)
    if len(content) != place.end - place.begin or not content.strip():
        raise FileNotFoundError(f"nothing is left at {place.uri}")
    return content


def blank(root: Path, place: Place) -> None:
    """Erases the document at a place; the others of its segment stay. Raises FileNotFoundError without the segment."""
    handle = os.open(root / place.segment, os.O_WRONLY)
    try:
        if place.end <= os.fstat(handle).st_size:
            os.pwrite(handle, b" " * (place.end - place.begin), place.begin)
            os.fsync(handle)
    finally:
        os.close(handle)


def lines(root: Path, segment: str) -> Iterator[Line]:
    """The documents that a segment still holds, but one that is being written. Raises FileNotFoundError."""
    begin = 0
    with (root / segment).open("rb") as file:
        for line in file:
            subject, _, document = line.partition(b" ")
            if document.strip() and line.endswith(b"\n"):
                start = begin + len(subject) + 1
                yield Line(subject.decode(errors="replace"), Place(segment, start, begin + len(line) - 1))
            begin += len(line)


class Segment:
    """An open segment of this process. Its calls block, and come from one thread at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._name = ""
        self._handle = -1
        self._end = 0
        self._begun = 0.0

    def append(self, documents: list[tuple[str, bytes]]) -> list[Place]:
        """Writes documents, each with its subject; returns once they are on the disk. Raises OSError.

        A document must have no line end, as JSON has none.
        """
        self._roll()
        places, content, end = [], [], self._end
        for subject, document in documents:
            line = b"%b %b\n" % (subject.encode(), document)
            if line.count(b"\n") != 1:
                raise ValueError("a document of a segment must be one line")
            end += len(line)
            content.append(line)
            places.append(Place(self._name, end - len(document) - 1, end - 1))
        try:
            self._write(b"".join(content))
        except BaseException:
            self.close()  # how much of it was written is not known
            raise
        self._end = end
        return places

    def close(self) -> None:
        """Gives the file back. The next `append` begins another one."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _roll(self) -> None:
        """Begins a segment where there is none, or the last one is full or old."""
        old = time.monotonic() - self._begun > MAX_SEGMENT_AGE.total_seconds()
        if self._handle >= 0 and self._end < MAX_SEGMENT_BYTES and not old:
            return
        self.close()
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
            os.fsync(self._handle)  # the name of a new file too


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A document on its way to the disk, and who waits for its place."""

    subject: str
    document: bytes
    place: asyncio.Future[Place]


class GroupCommit:
    """Gathers what arrives while the disk is busy, and writes it together: the next group is what came meanwhile.

    The thread is one of its own: an executor's futures cost as much as the writing.
    """

    def __init__(self, root: Path) -> None:
        self._segment = Segment(root)
        self._groups: SimpleQueue[tuple[asyncio.AbstractEventLoop, list[_Waiting]] | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._waiting: list[_Waiting] = []
        self._busy = False

    async def append(self, subject: str, document: bytes) -> Place:
        """Where the document lies, once it is on the disk. Raises OSError."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(subject, document, loop.create_future())
        self._waiting.append(waiting)
        if not self._busy:
            self._busy = True
            loop.call_soon(self._begin, loop)  # with whatever else this turn of the loop brings
        return await waiting.place

    def close(self) -> None:
        """Gives thread and file back, after what is on its way."""
        if self._thread is not None:
            self._groups.put(None)
            self._thread.join()
        self._segment.close()

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._work, name="segments", daemon=True)
            self._thread.start()
        group, self._waiting = self._waiting, []
        self._groups.put((loop, group))

    def _work(self) -> None:
        """The thread: writes one group after the other, and tells the loop."""
        while (order := self._groups.get()) is not None:
            loop, group = order
            places: list[Place] = []
            error: Exception | None = None
            try:
                places = self._segment.append([(one.subject, one.document) for one in group])
            except Exception as failure:  # noqa: BLE001 - whoever waits gets it raised
                error = failure
            loop.call_soon_threadsafe(self._ended, loop, group, places, error)

    def _ended(
        self, loop: asyncio.AbstractEventLoop, group: list[_Waiting], places: list[Place], error: Exception | None
    ) -> None:
        self._busy = bool(self._waiting)
        if self._busy:
            self._begin(loop)
        for index, one in enumerate(group):
            if one.place.done():
                continue  # whoever asked went away
            if error is None:
                one.place.set_result(places[index])
            else:
                one.place.set_exception(error)
