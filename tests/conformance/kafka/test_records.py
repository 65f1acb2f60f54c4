"""Records on a real Kafka: gaps, keys, large ones, dead letters."""

import pytest
from aiokafka import AIOKafkaProducer

from piperoll.log.contract import AppendError
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets, client_options
from piperoll.log.producer import MAX_RECORD_BYTES, KafkaAppender
from piperoll.log.record import Position, Record, partition_of
from piperoll.settings import Settings
from schemas.topics import DEAD_LETTERS, Topic
from tests.support.histories.jobs import created, fact
from tests.support.kafka import nothing_read
from tests.support.stacks.reading import Bookkeeper, member
from tests.support.waiting import wait_until

KEYS = [f"job-{number}" for number in range(40)] + ["ü", "日本語", "a", "ab", "abc", "abcd", "batch-4f0e"]


async def append_transaction(
    settings: Settings, topic: Topic, offsets: KafkaOffsets, key: bytes, value: bytes
) -> Position:
    """One record and the marker that ends its transaction, which takes an offset and is never handed out.

    The broker writes the marker some time after it has acknowledged the end of the transaction.
    """
    producer = AIOKafkaProducer(
        **client_options(settings), transactional_id=f"gaps-{topic.name}", enable_idempotence=True
    )
    await producer.start()
    try:
        async with producer.transaction():
            placed = await producer.send_and_wait(topic.name, value, key=key)
    finally:
        await producer.stop()
    position = Position(placed.partition, placed.offset)

    async def has_marker() -> bool:
        return (await offsets.end_offsets(topic))[position.partition] == position.offset + 2

    await wait_until(has_marker, 30, "the marker that ends the transaction")
    return position


async def test_gaps_in_the_offsets_are_passed(
    settings: Settings, topic: Topic, appender: KafkaAppender, offsets: KafkaOffsets
) -> None:
    home = partition_of("job-1", settings.partitions)
    assert await append_transaction(settings, topic, offsets, b"job-1", b"in a transaction") == Position(home, 0)
    placed = await appender.append_raw(topic, b"job-1", b"behind the gap", [])
    assert placed == Position(home, 2)
    book = nothing_read(settings)
    async with member(settings, f"gaps-{topic.name}", topic, Bookkeeper(book)):
        await wait_until(lambda: len(book.values) == 2, 30, "both records to be read")
    assert book.positions[home] == 3
    assert [r.offset for r in await offsets.read_range(topic, {home: 0}, {home: 3})] == [0, 2]


async def test_a_stretch_that_ends_in_a_gap_is_read_to_its_end(
    settings: Settings, topic: Topic, offsets: KafkaOffsets
) -> None:
    home = partition_of("job-1", settings.partitions)
    await append_transaction(settings, topic, offsets, b"job-1", b"in a transaction")
    assert [r.offset for r in await offsets.read_range(topic, {home: 0}, {home: 2})] == [0]
    assert await offsets.read_range(topic, {home: 1}, {home: 2}) == []
    (record,) = await offsets.read_range(topic, {home: 0}, {home: 1}, limit=1)
    assert record.value == b"in a transaction"


async def test_the_producer_puts_keys_into_the_partitions_of_the_contract(
    settings: Settings, topic: Topic, appender: KafkaAppender
) -> None:
    placed = [await appender.append_raw(topic, key.encode(), b"", []) for key in KEYS]
    assert [one.partition for one in placed] == [partition_of(key, settings.partitions) for key in KEYS]


async def test_a_record_that_is_too_large_is_refused_and_the_next_one_is_not(
    topic: Topic, appender: KafkaAppender
) -> None:
    with pytest.raises(AppendError, match="larger than"):
        await appender.append_raw(topic, b"key", bytes(MAX_RECORD_BYTES + 1), [])
    assert (await appender.append_raw(topic, b"key", b"small", [])).offset == 0


async def test_a_stopped_appender_refuses_with_its_reason(settings: Settings, topic: Topic) -> None:
    appender = KafkaAppender(settings, "stopped")
    assert appender.problem() == "the producer is not connected"
    with pytest.raises(AppendError, match="the producer is stopped"):
        await appender.append(topic, fact("job-1", created()))


async def test_a_dead_letter_keeps_the_whole_record_with_its_origin_and_reason(
    appender: KafkaAppender, offsets: KafkaOffsets
) -> None:
    headers = [("ce_type", b"\xff\xfe"), ("ce_type", b"twice")]
    bad = Record("piperoll.jobs.events.v1", 3, 77, 0, b"\xffkey", b"\x00\x01garbage", headers)
    begin = await offsets.end_offsets(DEAD_LETTERS)
    await DeadLetters(appender).park("projector", bad, "it is not an event " + "x" * 2000)
    kept = [
        record
        for record in await offsets.read_range(DEAD_LETTERS, begin, await offsets.end_offsets(DEAD_LETTERS))
        if record.key == bad.key
    ]
    assert len(kept) == 1
    assert (kept[0].value, kept[0].headers[:2]) == (bad.value, headers)
    origin = {name: value.decode() for name, value in kept[0].headers[2:]}
    assert (origin["piperoll_consumer"], origin["piperoll_topic"]) == ("projector", "piperoll.jobs.events.v1")
    assert origin["piperoll_position"] == "3:77"
    assert origin["piperoll_reason"].startswith("it is not an event")
    assert len(origin["piperoll_reason"]) == 1000


async def test_a_dead_letter_may_lack_everything(appender: KafkaAppender, offsets: KafkaOffsets) -> None:
    begin = await offsets.end_offsets(DEAD_LETTERS)
    await DeadLetters(appender).park("worker", Record("t", 0, 0, 0, None, None, []), "nothing there")
    kept = await offsets.read_range(DEAD_LETTERS, begin, await offsets.end_offsets(DEAD_LETTERS))
    assert [(record.key, record.value) for record in kept if record.key is None] == [(None, b"")]


async def test_a_dead_letter_keeps_a_header_without_a_value(
    appender: KafkaAppender, offsets: KafkaOffsets, topic: Topic
) -> None:
    """Kafka allows it; our reader must neither fall over it nor lose it."""
    await appender.append_raw(topic, b"key", b"", [("ce_type", None)])  # type: ignore[list-item]
    ends = await offsets.end_offsets(topic)
    (record,) = await offsets.read_range(topic, dict.fromkeys(ends, 0), ends)
    begin = await offsets.end_offsets(DEAD_LETTERS)
    await DeadLetters(appender).park("worker", record, "no type")
    kept = await offsets.read_range(DEAD_LETTERS, begin, await offsets.end_offsets(DEAD_LETTERS))
    assert [record.headers[0] for record in kept if record.key == b"key"] == [("ce_type", None)]
