"""Parked records put back into their topics, or left out for good, by an operator.

First copies of the records are appended under their key, which count where the key is still parked, in their order;
then a record that ends the parking. So every reader, a rebuild included, comes to the same state. What a writer appends
between the two is parked too, and can be put back afterwards.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from piperoll.log.contract import LogView, RawAppender
from piperoll.log.dead_letters import PARKED, SETTLED, DeadLetter, DeadLetters, read_letter
from piperoll.log.parking import PARKED_BEFORE, REDRIVEN, UNPARKED, decode
from piperoll.log.record import MisplacedRecordError, Position, Record
from schemas.envelope import UndecodableRecordError, UnknownEventError
from schemas.topics import DEAD_LETTERS, MANIFEST, Topic

TOPICS: Mapping[str, Topic] = {topic.name: topic for topic in MANIFEST if topic is not DEAD_LETTERS}
DEADLINE_S = 30.0
Place = tuple[str, Position]
"""The topic and the position of a record."""


class RedriveRefusedError(RuntimeError):
    """The records cannot be put back. The message names what can be done."""


@dataclass(slots=True)
class Waiting:
    """A record that waits for an operator: parked, or the event at which partitions are stopped.

    `consumers` parked it or stopped at it. `followed`: only an earlier record of its key is the reason. `open_key`: the
    parking of its key has ended meanwhile.
    """

    topic: str
    position: Position
    key: str
    type: str
    why: str
    at: str
    stopped: bool
    open_key: bool = False
    consumers: list[str] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """Its topic and position."""
        return self.topic, self.position

    @property
    def followed(self) -> bool:
        """Whether only an earlier record of its key is the reason."""
        return self.why == PARKED_BEFORE


@dataclass(frozen=True, slots=True)
class Settlement:
    """The positions that were put back, and those that are left out with the reason of each."""

    put_back: Sequence[Position]
    left_out: Sequence[tuple[Position, str]]


def waiting(letters: Iterable[DeadLetter]) -> list[Waiting]:
    """The records that wait, in the order of topic and position, from all letters in any order. Pure."""
    letters = list(letters)
    settled = {(one.topic, one.position) for one in letters if one.kind == SETTLED}
    parked = {(one.topic, one.position) for one in letters if one.kind == PARKED}
    unparked: dict[tuple[str, str], Position] = {}
    for one in letters:
        if one.unparked_at is not None:
            name = one.topic, one.key
            unparked[name] = max(one.unparked_at, unparked.get(name, one.unparked_at))
    found: dict[Place, Waiting] = {}
    for one in letters:
        place = one.topic, one.position
        if one.kind == SETTLED or place in settled or (one.kind != PARKED and place in parked):
            continue
        if place not in found:
            end = unparked.get((one.topic, one.key))
            found[place] = Waiting(
                topic=one.topic,
                position=one.position,
                key=one.key,
                type=one.type,
                why=one.why,
                at=one.at,
                stopped=one.kind != PARKED,
                open_key=end is not None and one.position < end,
            )
        if one.consumer not in found[place].consumers:
            found[place].consumers.append(one.consumer)
    return [found[place] for place in sorted(found)]


def of_key(found: Iterable[Waiting], one: Waiting) -> list[Waiting]:
    """All parked records of the key of `one` in its partition; a record without a key is alone. Pure."""
    if not one.key:
        return [one]
    mine = one.topic, one.position.partition, one.key
    return [
        other for other in found if (other.topic, other.position.partition, other.key) == mine and not other.stopped
    ]


def short_name(topic: str) -> str:
    """`jobs` for `piperoll.jobs.events.v1`, and `deliveries` for `piperoll.jobs.deliveries.v1`."""
    words = topic.removeprefix("piperoll.").split(".")
    return words[1] if words[1:2] == ["deliveries"] else words[0]


class Redriving:
    """Reads the dead letters, and puts records back. `by` names the operator's side in the letters."""

    def __init__(self, view: LogView, appender: RawAppender, by: str) -> None:
        self._view = view
        self._appender = appender
        self._letters = DeadLetters(appender)
        self._by = by
        self._known: dict[Place, bool] = {}  # whether this release knows the event at a stop; records do not change

    async def waiting(self) -> list[Waiting]:
        """The records that wait, from all letters."""
        begin, end = await self._view.begin_offsets(DEAD_LETTERS), await self._view.end_offsets(DEAD_LETTERS)
        letters = []
        async with aclosing(self._view.scan(DEAD_LETTERS, begin, end)) as polls:
            async for records in polls:
                letters += [letter for record in records if (letter := read_letter(record)) is not None]
        return await self.among(letters)

    async def among(self, letters: Iterable[DeadLetter]) -> list[Waiting]:
        """The records that wait, from these letters. A stop at an event that this release knows has ended with the
        upgrade."""
        found = await self._in_log(waiting(letters))
        return [one for one in found if not one.stopped or not await self._knows(one)]

    async def original(self, topic: str, position: Position) -> Record | None:
        """The record at a position; None if the log no longer holds it."""
        if topic not in TOPICS:
            return None
        part, offset = position.partition, position.offset
        if offset < (await self._view.begin_offsets(TOPICS[topic])).get(part, 0):
            return None
        found = await self._view.read_range(TOPICS[topic], {part: offset}, {part: offset + 1})
        return next((record for record in found if record.offset == offset), None)

    async def redrive(self, ones: Sequence[Waiting]) -> Settlement:
        """Put back all records of a key. Raises RedriveRefusedError, with nothing appended, if one is unusable."""
        originals = await self._originals(ones)
        for one, record in originals:
            if (why := _unusable(record)) is not None:
                raise RedriveRefusedError(
                    f"the record at {one.position} still cannot be used ({why}): `piperoll dead-letters skip` leaves "
                    "it out and puts back what follows"
                )
        return await self._settle(originals, leave_out={})

    async def skip(self, ones: Sequence[Waiting]) -> Settlement:
        """Leave out the records of a key that were parked for what is in them; put back those that followed."""
        originals = await self._originals(ones)
        own = {one.position: one.why for one, _ in originals if not one.followed}
        unusable = {record.position: why for _, record in originals if (why := _unusable(record)) is not None}
        return await self._settle(originals, leave_out={**unusable, **own})

    async def _settle(
        self, originals: Sequence[tuple[Waiting, Record]], leave_out: Mapping[Position, str]
    ) -> Settlement:
        back = [(one, record) for one, record in originals if record.position not in leave_out]
        for one, record in back:
            await self._copy(record, as_parked=not one.open_key and not _is_misplaced(record))
        unparked_at = await self._unpark(originals, "redriven" if len(back) == len(originals) else "skipped")
        for _, record in originals:
            how = "left out" if record.position in leave_out else "put back"
            await self._letters.settled(self._by, record, how, unparked_at)
        return Settlement([record.position for _, record in back], list(leave_out.items()))

    async def _copy(self, record: Record, as_parked: bool) -> None:
        mark = [(REDRIVEN, str(record.position).encode())] if as_parked else []
        headers = [pair for pair in record.headers if pair[0] != REDRIVEN]
        await self._appender.append_raw(TOPICS[record.topic], record.key, record.value, [*headers, *mark], DEADLINE_S)

    async def _unpark(self, originals: Sequence[tuple[Waiting, Record]], how: str) -> Position | None:
        """End the parking of the key; a record without a key, or in a foreign partition, has none."""
        keyed = [record for one, record in originals if record.key and not one.open_key and not _is_misplaced(record)]
        if not keyed:
            return None
        topic, key, mark = TOPICS[keyed[0].topic], keyed[0].key, (UNPARKED, how.encode())
        return await self._appender.append_raw(topic, key, None, [mark], DEADLINE_S)

    async def _originals(self, ones: Sequence[Waiting]) -> list[tuple[Waiting, Record]]:
        found = []
        for one in ones:
            record = await self.original(*one.place)
            if record is None:
                raise RedriveRefusedError(f"the log no longer holds the record at {one.position} of {one.topic}")
            found.append((one, record))
        return found

    async def _in_log(self, found: Sequence[Waiting]) -> list[Waiting]:
        """Those at positions that the log has had: a letter of a foreign writer may name any."""
        named = {one.topic for one in found} & TOPICS.keys()
        ends = {name: await self._view.end_offsets(TOPICS[name]) for name in named}
        return [one for one in found if one.position.offset < ends.get(one.topic, {}).get(one.position.partition, 0)]

    async def _knows(self, one: Waiting) -> bool:
        """Whether this release knows the event at a stop, or the log no longer holds it."""
        if one.place not in self._known:
            record = await self.original(*one.place)
            self._known[one.place] = record is None or _is_known(record)
        return self._known[one.place]


def _unusable(record: Record) -> str | None:
    """Why a copy of the record in its own partition could not be used either."""
    try:
        replace(record, partition=record.partition if record.home is None else record.home).fact()
    except (UndecodableRecordError, UnknownEventError) as error:
        return str(error)
    return None


def _is_known(record: Record) -> bool:
    try:
        decode(record)
    except UnknownEventError:
        return False
    return True


def _is_misplaced(record: Record) -> bool:
    try:
        record.fact()
    except MisplacedRecordError:
        return True
    except (UndecodableRecordError, UnknownEventError):
        return False
    return False
