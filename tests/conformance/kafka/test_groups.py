"""Members of a consumer group on a real Kafka."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

import pytest
from aiokafka.errors import KafkaTimeoutError

from piperoll.log.consumer import PartitionConsumer
from piperoll.log.producer import KafkaAppender
from piperoll.settings import Settings
from schemas.topics import Topic
from tests.support.kafka import nothing_read
from tests.support.stacks.reading import Bookkeeper, member
from tests.support.waiting import wait_until


@pytest.fixture
def named(environment: dict[str, str]) -> Callable[[str], Settings]:
    """The settings of a group member under another name, which it gives up when it leaves."""

    def settings_of(name: str) -> Settings:
        own = {"PIPEROLL_INSTANCE": name, "PIPEROLL_STATIC_MEMBERSHIP": "false"}
        return Settings.from_environment({**environment, **own})

    return settings_of


async def append_many(appender: KafkaAppender, topic: Topic, count: int, first: int = 0) -> list[bytes]:
    """Values with a number each, under keys that lie in all partitions."""
    values = [str(number).encode() for number in range(first, first + count)]
    await asyncio.gather(*(appender.append_raw(topic, b"key-" + one, one, []) for one in values))
    return values


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


async def test_a_reader_whose_questions_kafka_does_not_answer_is_assigned_again(
    settings: Settings, topic: Topic, appender: KafkaAppender
) -> None:
    class Unanswered(Bookkeeper):
        asked = 0

        async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
            self.asked += 1
            if self.asked < 3:
                raise KafkaTimeoutError("deliberate")
            return await super().assigned(partitions)

    written = await append_many(appender, topic, 10)
    reader = Unanswered(nothing_read(settings))
    async with member(settings, "unanswered", topic, reader):
        await wait_until(lambda: len(reader.book.values) == len(written), 30, "everything to be read")
    assert reader.asked == 3


async def test_a_partition_that_its_reader_loads_slowly_holds_up_no_other_one(
    settings: Settings, topic: Topic, appender: KafkaAppender
) -> None:
    class Slow(Bookkeeper):
        loaded = False

        async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
            return await super().assigned(partitions if self.loaded else partitions - {0})

    written = await append_many(appender, topic, 60)
    reader = Slow(nothing_read(settings))
    read = lambda: {place.partition for place in reader.book.places}  # noqa: E731
    async with member(settings, "slow", topic, reader):
        await wait_until(lambda: read() == set(reader.book.positions) - {0}, 30, "the other partitions to be read")
        reader.loaded = True
        await wait_until(lambda: len(reader.book.values) == len(written), 30, "everything to be read")


async def test_a_member_whose_assignment_waits_for_kafka_ends_at_the_stop(settings: Settings, topic: Topic) -> None:
    class Silent(Bookkeeper):
        asked = 0

        async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
            self.asked += 1
            self.mine |= partitions  # it may have begun to load them
            raise KafkaTimeoutError("deliberate")

    reader = Silent(nothing_read(settings))
    async with asyncio.timeout(60), member(settings, "silent", topic, reader):
        await wait_until(lambda: reader.asked > 1, 30, "the assignment to be tried again")
    assert reader.given_up == [set(range(settings.partitions))]
