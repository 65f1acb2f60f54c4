"""The log: in memory and a real Kafka behind the same cases."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from piperoll.log.record import Position, Record, partition_of
from schemas.envelope import Fact
from schemas.events import JobProgress
from tests.conformance.conftest import LogUnderTest
from tests.support.histories.jobs import created, fact
from tests.support.stacks.reading import Book, Bookkeeper
from tests.support.waiting import wait_until

SUBJECTS = [f"job-{number}" for number in range(12)]


def progress(subject: str, sequence: int) -> Fact:
    return fact(subject, JobProgress(run="run", sequence=sequence, step="reading", percent=1), sequence)


async def append_in_turn(log: LogUnderTest, subject: str, count: int) -> list[Position]:
    return [await log.appender.append(log.topic, progress(subject, number)) for number in range(1, count + 1)]


async def everything(log: LogUnderTest) -> list[Record]:
    return list(
        await log.offsets.read_range(
            log.topic, dict.fromkeys(range(log.partitions), 0), await log.offsets.end_offsets(log.topic)
        )
    )


async def test_an_append_returns_the_position_of_the_fact(log: LogUnderTest) -> None:
    first = await log.appender.append(log.topic, fact("job-1", created()))
    second = await log.appender.append(log.topic, progress("job-1", 1))
    assert first == Position(partition_of("job-1", log.partitions), 0)
    assert second == Position(first.partition, 1)


async def test_a_fact_is_read_back_as_it_was_written_with_the_brokers_time(log: LogUnderTest) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    one = fact("job-1", created(has_webhook=True))
    position = await log.appender.append(log.topic, one)
    (record,) = await everything(log)
    read = record.fact()
    assert read.appended_at is not None
    assert before <= read.appended_at <= datetime.now(UTC) + timedelta(seconds=1)
    assert replace(read, appended_at=None) == one
    assert (record.position, record.key, record.ce_id) == (position, b"job-1", one.id)


async def test_facts_of_one_subject_stand_in_the_order_of_the_calls(log: LogUnderTest) -> None:
    placed = await asyncio.gather(*(append_in_turn(log, subject, 8) for subject in SUBJECTS))
    for subject, positions in zip(SUBJECTS, placed, strict=True):
        assert {position.partition for position in positions} == {partition_of(subject, log.partitions)}
        assert positions == sorted(positions)
    for subject in SUBJECTS:
        events = [record.fact().data for record in await everything(log) if record.key == subject.encode()]
        assert [one.sequence for one in events if isinstance(one, JobProgress)] == list(range(1, 9))


async def test_calls_that_do_not_wait_for_each_other_keep_their_order_too(log: LogUnderTest) -> None:
    await asyncio.gather(*(log.appender.append(log.topic, progress("job-1", number)) for number in range(1, 60)))
    events = [record.fact().data for record in await everything(log)]
    assert [one.sequence for one in events if isinstance(one, JobProgress)] == list(range(1, 60))


async def test_a_record_as_it_is_keeps_bytes_headers_and_what_is_missing(log: LogUnderTest) -> None:
    headers = [("a", b"\x00\xff"), ("a", b"again"), ("empty", b"")]
    await log.appender.append_raw(log.topic, b"\xc3\xbc", b"\x00\x01", headers)
    await log.appender.append_raw(log.topic, b"tombstone", None, [])
    records = {record.key: record for record in await everything(log)}
    assert (records[b"\xc3\xbc"].value, records[b"\xc3\xbc"].headers) == (b"\x00\x01", headers)
    assert (records[b"tombstone"].value, records[b"tombstone"].headers) == (None, [])


async def test_the_view_has_begin_and_end_of_every_partition(log: LogUnderTest) -> None:
    nothing = dict.fromkeys(range(log.partitions), 0)
    assert await log.offsets.end_offsets(log.topic) == nothing
    position = (await append_in_turn(log, "job-1", 3))[-1]
    assert await log.offsets.end_offsets(log.topic) == {**nothing, position.partition: 3}
    assert await log.offsets.begin_offsets(log.topic) == nothing


async def test_a_stretch_is_read_from_its_begin_up_to_its_end(log: LogUnderTest) -> None:
    home = (await append_in_turn(log, "job-1", 9))[0].partition
    stretch = await log.offsets.read_range(log.topic, {home: 2}, {home: 6})
    assert [record.offset for record in stretch] == [2, 3, 4, 5]
    assert len(await log.offsets.read_range(log.topic, {home: 2}, {home: 6}, limit=2)) >= 2
    assert await log.offsets.read_range(log.topic, {home: 6}, {home: 6}) == []
    assert await log.offsets.read_range(log.topic, {home: 7}, {}) == []


async def test_offsets_are_found_by_append_time(log: LogUnderTest) -> None:
    home = (await append_in_turn(log, "job-1", 2))[0].partition
    last = (await everything(log))[-1].appended_at
    await wait_until(lambda: datetime.now(UTC) > last + timedelta(milliseconds=5), 5, "another append time")
    await append_in_turn(log, "job-1", 1)
    newest = (await everything(log))[-1].appended_at
    found = await log.offsets.offsets_at(log.topic, newest)
    assert found == {**dict.fromkeys(range(log.partitions), 0), home: 2}
    assert (await log.offsets.offsets_at(log.topic, newest + timedelta(hours=1)))[home] == 3
    assert (await log.offsets.offsets_at(log.topic, newest - timedelta(hours=1)))[home] == 0
    assert (await log.offsets.offsets_at(log.topic, datetime(1, 1, 1, tzinfo=UTC)))[home] == 0


async def test_a_reader_gets_everything_once_and_gives_its_partitions_back(log: LogUnderTest) -> None:
    await asyncio.gather(*(append_in_turn(log, subject, 5) for subject in SUBJECTS))
    reader = Bookkeeper(Book(dict.fromkeys(range(log.partitions), 0)))
    await log.feed(reader)
    assert sorted(reader.book.places) == sorted(record.position for record in await everything(log))
    assert len(reader.book.places) == 60
    assert (reader.mine, reader.given_up) == (set(), [set(range(log.partitions))])


async def test_a_reader_goes_on_where_it_stood(log: LogUnderTest) -> None:
    book = Book(dict.fromkeys(range(log.partitions), 0))
    await asyncio.gather(*(append_in_turn(log, subject, 2) for subject in SUBJECTS))
    await log.feed(Bookkeeper(book))
    await asyncio.gather(*(append_in_turn(log, subject, 3) for subject in SUBJECTS))
    await log.feed(Bookkeeper(book))
    assert sorted(book.places) == sorted(record.position for record in await everything(log))


async def test_a_reader_may_begin_in_the_middle(log: LogUnderTest) -> None:
    """Its positions are its own: what the group may have committed counts for nothing."""
    await asyncio.gather(*(append_in_turn(log, subject, 4) for subject in SUBJECTS))
    await log.feed(Bookkeeper(Book(dict.fromkeys(range(log.partitions), 0))))
    ends = await log.offsets.end_offsets(log.topic)
    again = Bookkeeper(Book({part: min(1, end) for part, end in ends.items()}))
    await log.feed(again)
    assert sorted(again.book.places) == sorted(r.position for r in await everything(log) if r.offset >= 1)
