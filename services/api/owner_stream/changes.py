"""The changes of an owner's jobs and batches since a place in the log (docs/contract/additions.md#owner-stream).

The facts of one partition become visible in the order of their offsets, because one projector at a time writes them;
those of different partitions in any order. So a place is an offset for each partition: a time, or a count of changes,
would miss facts that are committed late. Only its place is stored for a stream: a slow client reads each job once, in
its present state.
"""

import asyncio
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from weakref import WeakValueDictionary

from piperoll.log.record import Position
from schemas.topics import JOB_EVENTS
from services.api.http.errors import ReadModelUnavailableError
from services.api.outlook.observing import Observer
from services.api.outlook.views import Outlook
from services.api.read_model.job_rows import Changed, JobRow, ListedBatch
from services.api.read_model.jobs import ReadModel
from services.api.read_model.positions import Positions

FACTS = 20  # of a partition in one page: more rows would block the event loop for over a few milliseconds
AT_ONCE = 3  # queries; the pool's other connections serve requests
AT_ONCE_OF_OWNER = 2  # so that many streams of one owner that are behind do not hold up another owner's
PLACE: Final = r"([0-9a-f]{8}-)?[0-9a-f]{1,15}(\.[0-9a-f]{1,15}){0,1023}"
"""An event's id: the installation, and the offsets in hex, separated by dots. Earlier releases left the former out."""
INSTALLATION_DIGITS = 8


@dataclass(frozen=True, slots=True)
class StreamPlace:
    """The next offset of each partition, counted from 0; partitions beyond begin at 0.

    `installation` is the beginning of the id of the installation that the offsets are of; empty if it is not known.
    """

    offsets: tuple[int, ...]
    installation: str = ""

    def __str__(self) -> str:
        """The id of an event (`PLACE`)."""
        offsets = ".".join(f"{offset:x}" for offset in self.offsets)
        return f"{self.installation}-{offsets}" if self.installation else offsets

    @classmethod
    def parse(cls, text: str) -> "StreamPlace | None":
        """Parse an event's id; None for any other text."""
        if not re.fullmatch(PLACE, text):
            return None
        installation, _, offsets = text.rpartition("-")
        return cls(tuple(int(part, 16) for part in offsets.split(".")), installation)

    def offset(self, partition: int) -> int:
        """Return the next offset of a partition."""
        return self.offsets[partition] if partition < len(self.offsets) else 0

    def reaching(self, offsets: Mapping[int, int]) -> "StreamPlace":
        """Return the place advanced to `offsets`, where those are higher."""
        size = max(len(self.offsets), *(partition + 1 for partition in offsets), 0)
        return replace(self, offsets=tuple(max(self.offset(part), offsets.get(part, 0)) for part in range(size)))

    def after(self, position: Position) -> "StreamPlace":
        """Return the place after a fact."""
        return self.reaching({position.partition: position.offset + 1})


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes after a place. Each job occurs once, with its last fact; `end` is the place after all of them.

    `batches` are the changed ones with their present counts, `deleted` the ids of erased ones. `more`: further changes
    may be available already. `outlook` is what is known about the ends of these jobs and batches. `encoded` holds the
    page's events as bytes, by the query of the streams that share them.
    """

    end: StreamPlace
    jobs: tuple[tuple[Position, JobRow], ...] = ()
    batches: tuple[ListedBatch, ...] = ()
    deleted: tuple[str, ...] = ()
    more: bool = False
    outlook: Outlook | None = None
    encoded: dict[Hashable, bytes] = field(default_factory=dict, compare=False)


_PageKey = tuple[str, StreamPlace, asyncio.Event]


class ChangeFeed:
    """Pages of changes. Equal reads at the same time share one query, and all streams wait for the same event.

    `installation` returns the id of the installation, which ids of events begin with. It may raise
    ReadModelUnavailableError while that is not known.
    """

    def __init__(
        self,
        read_model: ReadModel,
        positions: Positions,
        facts: int = FACTS,
        installation: Callable[[], str] = lambda: "",
        observer: Observer | None = None,
    ) -> None:
        self._read_model = read_model
        self._observer = observer
        self._installation = installation
        self._positions = positions
        self._facts = facts
        self._queries = asyncio.Semaphore(AT_ONCE)
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()  # by owner, while it reads
        self._pages: dict[_PageKey, asyncio.Task[ChangePage]] = {}
        self._news = asyncio.Event()
        self._closed = False
        positions.subscribe(self._advanced)

    @property
    def closed(self) -> bool:
        """Return whether the service stops, so that streams should end."""
        return self._closed

    @property
    def news(self) -> asyncio.Event:
        """Return the event that is set at the next projected fact or stop. Take it before reading a page."""
        return self._news

    def now(self) -> StreamPlace:
        """Return the place after all projected facts. Raises ReadModelUnavailableError (503) while it is unknown."""
        if problem := self._positions.problem():
            raise ReadModelUnavailableError(problem)
        return StreamPlace((), self.installation).reaching(self._positions.reached(JOB_EVENTS))

    @property
    def installation(self) -> str:
        """Return what the ids of events begin with. Raises ReadModelUnavailableError (503) while it is unknown."""
        return self._installation()[:INSTALLATION_DIGITS]

    async def page(self, owner: str, place: StreamPlace) -> ChangePage:
        """Return a page of the changes after `place`. Raises ReadModelUnavailableError."""
        key = owner, place, self._news  # a page from before the last news is not shared: it may lack them
        task = self._pages.get(key)
        if task is None:
            task = self._pages[key] = asyncio.create_task(self._read(owner, place))
            task.add_done_callback(lambda done: self._finished(key, done))
        return await asyncio.shield(task)

    def close(self) -> None:
        """End all waiting."""
        self._closed = True
        self._news.set()

    def _finished(self, key: _PageKey, task: asyncio.Task[ChangePage]) -> None:
        del self._pages[key]
        if not task.cancelled():
            task.exception()  # the stream that requested it may have ended since

    async def _outlook(self, page: ChangePage) -> Outlook | None:
        open_types = {row.job_type for _, row in page.jobs if not row.status.terminal}
        if self._observer is None or not (open_types or page.batches):
            return None
        return await self._observer.outlook(open_types)

    def _advanced(self, partition: int) -> None:
        if not self._closed:
            self._news.set()
            self._news = asyncio.Event()

    async def _read(self, owner: str, place: StreamPlace) -> ChangePage:
        reached = self._positions.reached(JOB_EVENTS)
        behind = {part: place.offset(part) for part, end in reached.items() if end > place.offset(part)}
        if not behind:
            return ChangePage(place)
        async with self._turns.setdefault(owner, asyncio.Semaphore(AT_ONCE_OF_OWNER)), self._queries:
            found = await self._read_model.changes(owner, behind, self._facts)
            page = paged(place, found, {part: reached[part] for part in behind}, self._facts)
            if not (touched := sorted({one.batch_id for one in found if one.counts and one.batch_id is not None})):
                return replace(page, outlook=await self._outlook(page))
            _, batches = await self._read_model.batches((owner, None, touched), len(touched), 0)
        deleted = {one.batch_id for one in found if one.about_batch and one.batch_id is not None}
        deleted -= {one.batch.batch_id for one in batches}
        page = replace(page, batches=tuple(batches), deleted=tuple(sorted(deleted)))
        return replace(page, outlook=await self._outlook(page))


def paged(place: StreamPlace, found: Sequence[Changed], reached: Mapping[int, int], facts: int) -> ChangePage:
    """Return the page of the facts found after `place`, in the order of partition and offset.

    `reached` are the projected offsets of the queried partitions before the query: a partition with fewer than `facts`
    was read at least to there.
    """
    last = {one.position.partition: one.position.offset + 1 for one in found}
    counts = dict.fromkeys(reached, 0)
    for one in found:
        counts[one.position.partition] += 1
    full = {part for part, count in counts.items() if count >= facts}
    ends = {part: last[part] if part in full else max(end, last.get(part, 0)) for part, end in reached.items()}
    jobs = tuple((one.position, one.job) for one in found if one.job is not None)
    return ChangePage(place.reaching(ends), jobs, more=bool(full))
