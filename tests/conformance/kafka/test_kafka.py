"""What only a real Kafka can show: groups, gaps, other clients, and what the topics really are."""

import asyncio
import gc
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from piperoll.log.admin import TopicDriftError, check_topics, create_topics, require_topics
from piperoll.log.consumer import PartitionConsumer
from piperoll.log.contract import AppendError
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import MAX_RECORD_BYTES, KafkaAppender
from piperoll.log.record import Position, Record, partition_of
from piperoll.settings import Settings
from schemas.topics import DEAD_LETTERS, Topic
from tests.support.histories.jobs import created, fact
from tests.support.stacks.reading import Book, Bookkeeper, member
from tests.support.waiting import wait_until

KEYS = [f"job-{number}" for number in range(40)] + ["ü", "日本語", "a", "ab", "abc", "abcd", "batch-4f0e"]


@pytest.fixture
def named(environment: dict[str, str]) -> Callable[[str], Settings]:
    """The settings of a group member under another name, which it gives up when it leaves."""

    def settings_of(name: str) -> Settings:
        own = {"PIPEROLL_INSTANCE": name, "PIPEROLL_STATIC_MEMBERSHIP": "false"}
        return Settings.from_environment({**environment, **own})

    return settings_of


def nothing_read(settings: Settings) -> Book:
    return Book(dict.fromkeys(range(settings.partitions), 0))


async def append_many(appender: KafkaAppender, topic: Topic, count: int, first: int = 0) -> list[bytes]:
    """Values with a number each, under keys that lie in all partitions."""
    values = [str(number).encode() for number in range(first, first + count)]
    await asyncio.gather(*(appender.append_raw(topic, b"key-" + one, one, []) for one in values))
    return values


# --- groups --------------------------------------------------------------------------------------------------------


Named = Callable[[str], Settings]


async def test_a_second_member_takes_some_partitions_and_leaves_the_rest_alone(
    named: Named, topic: Topic, appender: KafkaAppender
) -> None:
    """Over joining and leaving no record is lost and none is handled twice."""
    book = nothing_read(named("first"))
    first, second = Bookkeeper(book), Bookkeeper(book)
    everything = set(book.positions)
    written = await append_many(appender, topic, 200)
    async with member(named("first"), "two-members", topic, first):
        await wait_until(lambda: first.mine == everything, 30, "the first member to have all partitions")
        async with member(named("second"), "two-members", topic, second):
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
    named: Named, topic: Topic, appender: KafkaAppender
) -> None:
    book = nothing_read(named("host"))
    written: list[bytes] = []
    done = asyncio.Event()

    async def write() -> None:
        while not done.is_set():
            written.extend(await append_many(appender, topic, 20, first=len(written)))

    writing = asyncio.create_task(write())
    async with member(named("host"), "comings", topic, Bookkeeper(book)):
        for number in range(2):
            guest = Bookkeeper(book)
            async with member(named(f"guest-{number}"), "comings", topic, guest):
                await wait_until(lambda guest=guest: guest.mine, 30, "a guest to get partitions")
        done.set()
        await writing
        await wait_until(lambda: len(book.values) >= len(written), 30, f"all of {len(written)} records to be read")
    assert sorted(book.values, key=str) == sorted(written, key=str)
    assert len(set(book.places)) == len(book.places)


async def test_a_member_with_nothing_to_read_takes_over_when_another_leaves(named: Named, topic: Topic) -> None:
    """More members than partitions: the idle one has to keep polling, or it never rejoins (aiokafka 1187)."""
    book = nothing_read(named("first"))
    stay = [Bookkeeper(book) for _ in book.positions]
    leaver = Bookkeeper(book)

    def dealt() -> list[int]:
        return sorted(part for reader in (*stay, leaver) for part in reader.mine)

    async with AsyncExitStack() as members:
        await members.enter_async_context(member(named("stays-0"), "crowd", topic, stay[0]))
        async with member(named("leaves"), "crowd", topic, leaver):
            for number, reader in enumerate(stay[1:], 1):
                await members.enter_async_context(member(named(f"stays-{number}"), "crowd", topic, reader))
            full = lambda: dealt() == sorted(book.positions) and leaver.mine and not all(r.mine for r in stay)  # noqa: E731
            await wait_until(full, 60, "one member to be without a partition")
        await wait_until(lambda: all(reader.mine for reader in stay), 60, "the idle member to be given one")


async def test_a_static_member_that_comes_back_moves_no_partition(
    environment: dict[str, str], topic: Topic, appender: KafkaAppender
) -> None:
    """What a restart of one worker looks like to the others (KIP-345): nothing."""

    def static(name: str) -> Settings:
        own = {"PIPEROLL_INSTANCE": name, "PIPEROLL_STATIC_MEMBERSHIP": "true", "PIPEROLL_SESSION_TIMEOUT_S": "10"}
        return Settings.from_environment({**environment, **own})

    group = f"static-{topic.name}"
    book = nothing_read(static("stays"))
    stays, leaves = Bookkeeper(book), Bookkeeper(book)
    async with member(static("stays"), group, topic, stays):
        async with member(static("restarts"), group, topic, leaves):
            await wait_until(lambda: stays.mine and leaves.mine, 30, "both to have their share")
            share, given_up = set(leaves.mine), list(stays.given_up)
        returned = Bookkeeper(book)
        async with member(static("restarts"), group, topic, returned):
            await wait_until(lambda: returned.mine == share, 30, "it to get back what it had")
            written = await append_many(appender, topic, 60)
            await wait_until(lambda: len(book.values) == 60, 30, "all to be read")
        assert stays.given_up == given_up
    assert sorted(book.values, key=str) == sorted(written, key=str)


async def test_a_reader_that_cannot_account_for_a_record_is_not_handed_the_next(
    settings: Settings, topic: Topic, appender: KafkaAppender
) -> None:
    class Failing(Bookkeeper):
        async def handle(self, partition: int, records: object) -> None:
            raise ZeroDivisionError("deliberate")

    await append_many(appender, topic, 10)
    reader = Failing(nothing_read(settings))
    with pytest.raises(ZeroDivisionError):
        await PartitionConsumer(settings, "failing", topic, reader).run(asyncio.Event())
    assert reader.book.values == []


async def test_a_member_counts_as_joined_only_after_it_has_joined(settings: Settings, topic: Topic) -> None:
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


async def test_the_producer_puts_keys_into_the_partitions_of_the_contract(
    settings: Settings, topic: Topic, appender: KafkaAppender
) -> None:
    placed = [await appender.append_raw(topic, key.encode(), b"", []) for key in KEYS]
    assert [one.partition for one in placed] == [partition_of(key, settings.partitions) for key in KEYS]


# --- records -------------------------------------------------------------------------------------------------------


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


@pytest.mark.filterwarnings("error::ResourceWarning")
async def test_without_a_broker_every_client_fails_with_a_reason_and_leaves_nothing_open(
    environment: dict[str, str], topic: Topic
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        nowhere = Settings.from_environment(
            {**environment, "PIPEROLL_KAFKA_BOOTSTRAP": f"127.0.0.1:{taken.getsockname()[1]}"}
        )
        reader = Bookkeeper(nothing_read(nowhere))
        for start in (
            KafkaAppender(nowhere, "nowhere").start,
            KafkaOffsets(nowhere).start,
            lambda: PartitionConsumer(nowhere, "nowhere", topic, reader).run(asyncio.Event()),
        ):
            with pytest.raises(KafkaConnectionError):
                await start()
    gc.collect()
