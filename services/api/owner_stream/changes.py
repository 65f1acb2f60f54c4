"""What changed of an owner's jobs and batches since a place in the log (contract 2e, `/api/stream`). No HTTP here.

The facts of one partition become visible in the order of their offsets, because one projector at a time writes them;
those of different partitions in any order. So a place is an offset for each partition: a time, or a count of changes,
would pass over what is committed late. Nothing is held for a stream but its place: a slow reader asks later, and
finds each job once, as it is then.
"""

import asyncio
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from piperoll.log.record import Position
from schemas.topics import JOB_EVENTS
from services.api.http.errors import ReadModelUnavailableError
from services.api.read_model.job_rows import Changed, JobRow, ListedBatch
from services.api.read_model.jobs import ReadModel
from services.api.read_model.positions import Positions

FACTS = 20  # of a partition in one page: rows enough to hold the event loop for a few milliseconds
AT_ONCE = 2  # questions to Postgres; the pool's other connections serve requests
PLACE: Final = r"[0-9a-f]{1,15}(\.[0-9a-f]{1,15}){0,1023}"
"""An event's id: the offsets in hex, with points between them."""


@dataclass(frozen=True, slots=True)
class StreamPlace:
    """The next offset of each partition, counted from 0; partitions beyond begin at 0."""

    offsets: tuple[int, ...]

    def __str__(self) -> str:
        """The id of an event (`PLACE`)."""
        return ".".join(f"{offset:x}" for offset in self.offsets)

    @classmethod
    def parse(cls, text: str) -> "StreamPlace | None":
        """The place that an event's id names; None for any other text."""
        return cls(tuple(int(part, 16) for part in text.split("."))) if re.fullmatch(PLACE, text) else None

    def offset(self, partition: int) -> int:
        """The next offset of a partition."""
        return self.offsets[partition] if partition < len(self.offsets) else 0

    def reaching(self, offsets: Mapping[int, int]) -> "StreamPlace":
        """The place whose partitions stand at `offsets`, where those are further."""
        size = max(len(self.offsets), *(partition + 1 for partition in offsets), 0)
        return StreamPlace(tuple(max(self.offset(part), offsets.get(part, 0)) for part in range(size)))

    def after(self, position: Position) -> "StreamPlace":
        """The place behind a fact."""
        return self.reaching({position.partition: position.offset + 1})


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes behind a place. Each job is there once, by its last fact; `end` is the place behind all of them.

    `batches` are those of which something changed, with the counts they have now, `deleted` those that are gone.
    `more` says whether there may be changes left that were there already. `written` holds the page's
    events as bytes, by the query of the streams that share them.
    """

    end: StreamPlace
    jobs: tuple[tuple[Position, JobRow], ...] = ()
    batches: tuple[ListedBatch, ...] = ()
    deleted: tuple[str, ...] = ()
    more: bool = False
    written: dict[Hashable, bytes] = field(default_factory=dict, compare=False)


_Question = tuple[str, StreamPlace, asyncio.Event]


class ChangeFeed:
    """Pages of changes. Equal questions at the same time share one query, and all streams wait for the same news."""

    def __init__(self, read_model: ReadModel, positions: Positions, facts: int = FACTS) -> None:
        self._read_model = read_model
        self._positions = positions
        self._facts = facts
        self._few = asyncio.Semaphore(AT_ONCE)
        self._asked: dict[_Question, asyncio.Task[ChangePage]] = {}
        self._news = asyncio.Event()
        self._closed = False
        positions.subscribe(self._came_further)

    @property
    def closed(self) -> bool:
        """Whether the service stops, so that streams should end."""
        return self._closed

    @property
    def news(self) -> asyncio.Event:
        """Set when facts were projected, or the service stops. To be taken before a page is asked for."""
        return self._news

    def now(self) -> StreamPlace:
        """The place behind all that was projected. Raises ReadModelUnavailableError (503) while that is not known."""
        if problem := self._positions.problem():
            raise ReadModelUnavailableError(problem)
        return StreamPlace(()).reaching(self._positions.reached(JOB_EVENTS))

    async def page(self, owner: str, place: StreamPlace) -> ChangePage:
        """The changes behind `place`, some at a time. Raises ReadModelUnavailableError."""
        question = owner, place, self._news  # an answer from before the last news is not shared: it may lack them
        task = self._asked.get(question)
        if task is None:
            task = self._asked[question] = asyncio.create_task(self._ask(owner, place))
            task.add_done_callback(lambda done: self._answered(question, done))
        return await asyncio.shield(task)

    def close(self) -> None:
        """Ends all waiting."""
        self._closed = True
        self._news.set()

    def _answered(self, question: _Question, task: asyncio.Task[ChangePage]) -> None:
        del self._asked[question]
        if not task.cancelled():
            task.exception()  # the stream that asked may have ended since

    def _came_further(self, partition: int) -> None:
        if not self._closed:
            self._news.set()
            self._news = asyncio.Event()

    async def _ask(self, owner: str, place: StreamPlace) -> ChangePage:
        reached = self._positions.reached(JOB_EVENTS)
        behind = {part: place.offset(part) for part, end in reached.items() if end > place.offset(part)}
        if not behind:
            return ChangePage(place)
        async with self._few:
            found = await self._read_model.changes(owner, behind, self._facts)
            page = paged(place, found, {part: reached[part] for part in behind}, self._facts)
            if not (touched := sorted({one.batch_id for one in found if one.counts and one.batch_id is not None})):
                return page
            _, batches = await self._read_model.batches((owner, None, touched), len(touched), 0)
        there = {one.batch.batch_id for one in batches}
        gone = {one.batch_id for one in found if one.about_batch and one.batch_id is not None} - there
        return replace(page, batches=tuple(batches), deleted=tuple(sorted(gone)))


def paged(place: StreamPlace, found: Sequence[Changed], reached: Mapping[int, int], facts: int) -> ChangePage:
    """The page of what was found behind `place`, in the order of partition and offset.

    `reached` is how far the partitions that were asked had been projected before the question: a partition that
    showed fewer than `facts` was seen at least to there.
    """
    last = {one.position.partition: one.position.offset + 1 for one in found}
    counts = dict.fromkeys(reached, 0)
    for one in found:
        counts[one.position.partition] += 1
    full = {part for part, count in counts.items() if count >= facts}
    ends = {part: last[part] if part in full else max(end, last.get(part, 0)) for part, end in reached.items()}
    jobs = tuple((one.position, one.job) for one in found if one.job is not None)
    return ChangePage(place.reaching(ends), jobs, more=bool(full))
