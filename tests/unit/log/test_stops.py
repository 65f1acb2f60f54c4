"""An event of a later release stops its partition alone, until it is known or an operator skips it."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from piperoll.log import stops as module
from piperoll.log.dead_letters import STOPPED, DeadLetters, read_letter
from piperoll.log.parking import decode
from piperoll.log.record import Position, Record
from piperoll.log.stops import SkippedRecords, Stops
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.envelope import UnknownEventError
from schemas.topics import DEAD_LETTERS, JOB_EVENTS
from tests.support.histories.jobs import created, fact, from_the_future, record
from tests.support.memory_log import MemoryLog


class Reading:
    """A reader that accounts for whole polls only, as the projector does."""

    def __init__(self) -> None:
        self.read: list[tuple[int, bool]] = []

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        return dict.fromkeys(partitions, 0)

    async def revoked(self, partitions: set[int]) -> None:
        """Nothing to give up."""

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        entries = [decode(one) for one in records]
        self.read += [(entry.record.offset, entry.fact is not None) for entry in entries]


POLL = [record(fact("job-a", created()), 1, 0), from_the_future("job-b", 1, 1), record(fact("job-c", created()), 1, 2)]


@pytest.fixture
def skipped() -> SkippedRecords:
    return SkippedRecords(AsyncBlobs(Blobs("memory:///")))


async def test_what_precedes_the_event_is_read_and_the_stop_is_visible_once(skipped: SkippedRecords) -> None:
    log, reader = MemoryLog(), Reading()
    stops = Stops("piperoll.worker", skipped, DeadLetters(log))
    assert await stops.handle(reader, 1, POLL) == 1
    assert await stops.handle(reader, 1, POLL[1:]) == 1
    assert reader.read == [(0, True)]
    assert "stopped at 1:1" in (stops.problem() or "")
    ends = await log.end_offsets(DEAD_LETTERS)
    (letter,) = map(read_letter, await log.read_range(DEAD_LETTERS, dict.fromkeys(ends, 0), ends))
    assert letter is not None
    assert (letter.kind, letter.consumer, letter.position) == (STOPPED, "piperoll.worker", Position(1, 1))
    assert await stops.handle(reader, 2, [record(fact("job-d", created()), 2, 0)]) is None


async def test_a_skipped_event_is_handed_over_as_unusable_and_the_partition_goes_on(skipped: SkippedRecords) -> None:
    reader, stops = Reading(), Stops("piperoll.worker", skipped, None)
    await stops.handle(reader, 1, POLL)
    await skipped.add(JOB_EVENTS.name, Position(1, 1))
    assert await stops.handle(reader, 1, POLL[1:]) is None
    assert reader.read == [(0, True), (1, False), (2, True)]
    assert stops.problem() is None


async def test_an_error_of_the_reader_itself_is_not_taken_for_a_stop(skipped: SkippedRecords) -> None:
    class Failing(Reading):
        async def handle(self, partition: int, records: Sequence[Record]) -> None:
            raise UnknownEventError("elsewhere")

    with pytest.raises(UnknownEventError, match="elsewhere"):
        await Stops("piperoll.worker", skipped, None).handle(Failing(), 1, POLL[:1])


async def test_a_store_that_hangs_holds_up_no_other_partition_and_its_answer_counts_when_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering, asked = asyncio.Event(), []

    class Hanging(AsyncBlobs):
        async def size(self, uri: str) -> int:
            asked.append(uri)
            await answering.wait()
            return await super().size(uri)

    monkeypatch.setattr(module, "ASK_S", 0.01, raising=False)
    skipped = SkippedRecords(Hanging(Blobs("memory:///")))
    await skipped.add(JOB_EVENTS.name, Position(1, 1))
    reader, stops = Reading(), Stops("piperoll.worker", skipped, None)
    async with asyncio.timeout(10):
        for _ in range(3):
            assert await stops.handle(reader, 1, POLL[1:]) == 1
        assert await stops.handle(reader, 2, [record(fact("job-d", created()), 2, 0)]) is None
        assert stops.partitions == {1}
        answering.set()
        await asyncio.wait(stops._asked.values())
        assert await stops.handle(reader, 1, POLL[1:]) is None
    assert len(asked) == 1
