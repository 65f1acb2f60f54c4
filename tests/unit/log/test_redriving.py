"""Records that are put back by an operator: every reader comes to the same state, also after an interruption."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from piperoll.log.contract import AppendError
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.parking import PARKED_BEFORE, Parking, decode
from piperoll.log.record import Position, Record, partition_of
from piperoll.log.redriving import RedriveRefusedError, Redriving, of_key
from schemas import envelope
from schemas.envelope import Headers, encode
from schemas.events import EVENTS
from schemas.topics import DEAD_LETTERS, JOB_EVENTS, Topic
from tests.support.histories.jobs import created, fact
from tests.support.memory_log import MemoryLog

PARTITIONS = 3


@dataclass
class Folding:
    """A reader that keeps the ids of the facts that it admitted, and parks as the services do."""

    log: MemoryLog
    folded: list[str] = field(default_factory=list)
    parked: set[str] = field(default_factory=set)

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        return dict.fromkeys(partitions, 0)

    async def revoked(self, partitions: set[int]) -> None:
        """Nothing to give up."""

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        parking = Parking(frozenset(self.parked))
        for one, _ in parking.sift([decode(record) for record in records]):
            if one.id not in self.folded:  # as the fold, which ignores a repeat
                self.folded.append(one.id)
        for record, why in parking.letters:
            await DeadLetters(self.log).park("a reader", record, why)
        self.parked = (self.parked - parking.freed) | parking.keys.keys()


@pytest.fixture
async def reading() -> Folding:
    log = MemoryLog(PARTITIONS)
    reader = Folding(log)
    await log.subscribe(JOB_EVENTS, reader)
    return reader


def over(log: MemoryLog) -> Redriving:
    return Redriving(log, log, "a test")


async def replayed(log: MemoryLog) -> list[str]:
    """What a reader folds that reads the log from its beginning, without letters of its own."""
    reader = Folding(MemoryLog(PARTITIONS))
    for part in range(PARTITIONS):
        await reader.handle(part, log.records(JOB_EVENTS, part))
    return reader.folded


def unreadable(number: int) -> tuple[bytes, bytes, Headers]:
    key, value, headers = encode(fact("job-a", created(), number))
    return key, value, [pair for pair in headers if pair[0] != "ce_id"]


async def test_a_record_in_a_foreign_partition_is_put_where_it_belongs(reading: Folding) -> None:
    one = fact("job-a", created(), 1)
    place = (partition_of("job-a", PARTITIONS) + 1) % PARTITIONS
    reading.log.place_in(JOB_EVENTS, place, *encode(one))
    await reading.log.deliver()
    assert reading.folded == []
    redriving = over(reading.log)
    found = await redriving.waiting()
    done = await redriving.redrive(of_key(found, found[0]))
    await reading.log.deliver()
    assert [position.partition for position in done.put_back] == [place]
    assert reading.folded == [one.id] == await replayed(reading.log)
    assert await redriving.waiting() == []


@pytest.mark.parametrize("kind", ["parked", "stopped"])
@pytest.mark.parametrize("position", ["0:100", "99:0"])
async def test_a_letter_about_a_record_that_the_log_never_had_is_passed_over(
    reading: Folding, kind: str, position: str
) -> None:
    named = {"piperoll_kind": kind, "piperoll_topic": JOB_EVENTS.name, "piperoll_position": position}
    forged = [(name, text.encode()) for name, text in named.items()]
    await reading.log.append_raw(DEAD_LETTERS, b"job-a", b"", forged)
    await reading.log.append_raw(JOB_EVENTS, *unreadable(1))
    await reading.log.deliver()
    assert [one.position.offset for one in await over(reading.log).waiting()] == [0]


async def test_nothing_is_appended_while_a_record_of_the_key_still_cannot_be_used(reading: Folding) -> None:
    await reading.log.append_raw(JOB_EVENTS, *unreadable(1))
    await reading.log.append(JOB_EVENTS, fact("job-a", created(), 2))
    await reading.log.deliver()
    ends = await reading.log.end_offsets(JOB_EVENTS), await reading.log.end_offsets(DEAD_LETTERS)
    redriving = over(reading.log)
    found = await redriving.waiting()
    with pytest.raises(RedriveRefusedError, match="still cannot be used"):
        await redriving.redrive(of_key(found, found[0]))
    assert (await reading.log.end_offsets(JOB_EVENTS), await reading.log.end_offsets(DEAD_LETTERS)) == ends


async def test_an_event_that_was_skipped_is_put_back_after_the_upgrade(
    reading: Folding, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A copy: an entry that is put back would be the last one, and the generated files follow the order.
    monkeypatch.setattr(envelope, "EVENTS", {name: event for name, event in EVENTS.items() if name != "JobCreated"})
    place = await reading.log.append(JOB_EVENTS, fact("job-a", created(), 1))
    await reading.log.append(JOB_EVENTS, fact("job-a", created(), 2))
    await reading.log.deliver()
    redriving = over(reading.log)
    assert [(one.stopped, one.position) for one in await redriving.waiting()] == [(True, place)]
    await reading.log.skipped.add(JOB_EVENTS.name, place)
    await reading.log.skipped.add(JOB_EVENTS.name, Position(place.partition, place.offset + 1))
    await reading.log.deliver()
    monkeypatch.undo()
    found = await redriving.waiting()
    assert [one.stopped for one in found] == [False, False]
    await redriving.redrive(of_key(found, found[0]))
    await reading.log.deliver()
    assert reading.folded == [fact("job-a", created(), number).id for number in (1, 2)]
    assert await redriving.waiting() == []


class Failing(MemoryLog):
    """A log whose appends fail from the one with the number `last` on, if that is not 0."""

    last = 0
    count = 0

    async def append_raw(
        self, topic: Topic, key: bytes | None, value: bytes | None, headers: Headers, deadline_s: float | None = None
    ) -> Position:
        self.count += 1
        if self.last and self.count >= self.last:
            raise AppendError("the broker is away")
        return await super().append_raw(topic, key, value, headers, deadline_s)


@pytest.mark.parametrize("last", range(1, 7))
async def test_a_skip_that_was_interrupted_at_any_append_is_completed_by_another_one(last: int) -> None:
    log = Failing(PARTITIONS)
    reader = Folding(log)
    await log.subscribe(JOB_EVENTS, reader)
    await log.append_raw(JOB_EVENTS, *unreadable(1))
    for number in (2, 3):
        await log.append(JOB_EVENTS, fact("job-a", created(), number))
    await log.deliver()
    redriving = over(log)
    found = await redriving.waiting()
    assert [one.followed for one in found] == [False, True, True]
    log.last, log.count = last, 0
    with pytest.raises(AppendError):
        await redriving.skip(of_key(found, found[0]))
    log.last = 0
    await log.append(JOB_EVENTS, fact("job-a", created(), 4))
    await log.deliver()
    for _ in range(3):
        if found := await redriving.waiting():
            await redriving.skip(of_key(found, found[0]))
            await log.deliver()
    assert await redriving.waiting() == []
    wanted = [fact("job-a", created(), number).id for number in (2, 3, 4)]
    assert reader.folded == wanted
    assert await replayed(log) == reader.folded
    assert reader.parked == set()


async def test_what_is_appended_while_a_key_is_parked_follows_in_its_order(reading: Folding) -> None:
    await reading.log.append_raw(JOB_EVENTS, *unreadable(1))
    for number in (2, 3):
        await reading.log.append(JOB_EVENTS, fact("job-a", created(), number))
    await reading.log.deliver()
    redriving = over(reading.log)
    found = await redriving.waiting()
    assert [one.why == PARKED_BEFORE for one in found] == [False, True, True]
    await redriving.skip(of_key(found, found[1]))
    await reading.log.append(JOB_EVENTS, fact("job-a", created(), 4))
    await reading.log.deliver()
    assert reading.folded == [fact("job-a", created(), number).id for number in (2, 3, 4)]
