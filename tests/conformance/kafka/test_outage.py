"""A Kafka that goes away and comes back, and topics that were changed: on a separate stack."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaTimeoutError

from piperoll.embedded.stack import Stack, StackOptions
from piperoll.log.consumer import PartitionConsumer
from piperoll.log.contract import OutcomeUnknownError
from piperoll.log.kafka import KafkaOffsets, client_options
from piperoll.log.producer import KafkaAppender
from piperoll.log.topics.admin import TopicDriftError, check_topics, create_topics, inspect, repair_topics
from piperoll.log.topics.watch import TopicWatch
from piperoll.settings import Settings
from schemas.topics import DEAD_LETTERS, JOB_DELIVERIES, JOB_EVENTS
from tests.support.histories.jobs import created, fact
from tests.support.stacks.reading import Book, Bookkeeper, member
from tests.support.waiting import PATIENCE_S, wait_until


@pytest.fixture(scope="module")
async def own_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A Kafka that may be stopped, killed and spoilt."""
    async with Stack(tmp_path_factory.mktemp("outage"), StackOptions(services=())) as running:
        yield running


@pytest.fixture(scope="module")
def settings(own_stack: Stack) -> Settings:
    return Settings.from_environment({**own_stack.environment, "PIPEROLL_INSTANCE": "outage"})


async def test_an_append_without_kafka_ends_at_its_deadline_with_an_unknown_outcome(
    own_stack: Stack, appender: KafkaAppender
) -> None:
    await appender.append(JOB_EVENTS, fact("job-before", created()))
    assert appender.problem() is None
    await own_stack.stop_kafka()
    try:
        began = time.monotonic()
        with pytest.raises(OutcomeUnknownError, match="may still arrive"):
            await appender.append(JOB_EVENTS, fact("job-unknown", created()), deadline_s=1.0)
        assert time.monotonic() - began > 0.9, "it ended at its deadline, and Kafka is still away"
        assert appender.problem() == "Kafka does not acknowledge appends"
    finally:
        await own_stack.start_kafka()
    again = await appender.append(JOB_EVENTS, fact("job-unknown", created()), deadline_s=30.0)
    assert again.offset >= 0


async def test_an_append_without_a_deadline_waits_until_kafka_is_back(
    own_stack: Stack, appender: KafkaAppender, offsets: KafkaOffsets
) -> None:
    """A worker's facts survive the outage, in their order."""
    await own_stack.stop_kafka()
    try:
        waiting = [
            asyncio.create_task(appender.append(JOB_EVENTS, fact("job-waits", created(), second)))
            for second in range(5)
        ]
        await asyncio.wait(waiting, timeout=1)
        assert not any(task.done() for task in waiting)
    finally:
        await own_stack.start_kafka()
    async with asyncio.timeout(PATIENCE_S):
        placed = await asyncio.gather(*waiting)
    assert placed == sorted(placed)
    ends = await offsets.end_offsets(JOB_EVENTS)
    kept = [
        record.ce_id
        for record in await offsets.read_range(JOB_EVENTS, dict.fromkeys(ends, 0), ends)
        if record.key == b"job-waits"
    ]
    assert list(dict.fromkeys(kept)) == [fact("job-waits", created(), second).id for second in range(5)]


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_a_consumer_reads_on_by_itself_after_the_broker_was(
    own_stack: Stack, settings: Settings, appender: KafkaAppender, offsets: KafkaOffsets, how: str
) -> None:
    ends = await offsets.end_offsets(DEAD_LETTERS)
    book = Book(ends)
    async with member(settings, f"outage-{how}", DEAD_LETTERS, Bookkeeper(book)):
        await appender.append_raw(DEAD_LETTERS, b"key", b"before", [])
        await wait_until(lambda: book.values == [b"before"], 30, "the record before the outage")
        if how == "stopped":
            await own_stack.stop_kafka()
            await own_stack.start_kafka()
        else:
            await own_stack.kill("kafka")
        sent = [str(number).encode() for number in range(20)]
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(appender.append_raw(DEAD_LETTERS, b"key", one, []) for one in sent))
        await wait_until(lambda: set(book.values) == {b"before", *sent}, 60, "the records after the outage")
    assert len(book.places) == len(set(book.places))


async def test_a_member_can_stop_while_kafka_is_away(own_stack: Stack, settings: Settings) -> None:
    """A drain has only so long before its supervisor kills it; an outage must not use it up."""
    book = Book(dict.fromkeys(range(settings.partitions), 0))
    reader = Bookkeeper(book)
    stopping = asyncio.Event()
    consumer = PartitionConsumer(settings, "stops-alone", JOB_DELIVERIES, reader)
    running = asyncio.create_task(consumer.run(stopping))
    await wait_until(lambda: reader.mine, 30, "the member to have partitions")
    await own_stack.stop_kafka()
    try:
        stopping.set()
        async with asyncio.timeout(PATIENCE_S):
            await running
        assert reader.mine == set()
    finally:
        await own_stack.start_kafka()


# --- topics that are not what they should be ------------------------------------------------------------------------


@pytest.fixture
async def admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(**client_options(settings))
    await client.start()
    yield client
    await client.close()


async def set_config(admin: AIOKafkaAdminClient, **changes: str) -> None:
    values = {**JOB_EVENTS.config(), **{name.replace("_", "."): value for name, value in changes.items()}}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, JOB_EVENTS.name, configs=values)])


async def seen(settings: Settings, sentence: str) -> None:
    """Waits until the broker serves a change that it has acknowledged."""

    async def reported() -> bool:
        return sentence in "; ".join(await check_topics(settings))

    # While a topic is being deleted, its offsets are not answered.
    await wait_until(reported, 30, f"the check to report: {sentence}", not_yet=(KafkaTimeoutError,))


async def unspoilt(settings: Settings) -> bool:
    return await check_topics(settings) == []


async def test_a_log_that_would_forget_is_refused(admin: AIOKafkaAdminClient, settings: Settings) -> None:
    await set_config(admin, retention_ms="604800000")
    await seen(settings, "piperoll.jobs.events.v1 has retention.ms=604800000, it must be -1")
    with pytest.raises(TopicDriftError, match="it must be -1"):
        await TopicWatch(settings).begin()
    await set_config(admin, cleanup_policy="compact")
    await seen(settings, "piperoll.jobs.events.v1 has cleanup.policy=compact, it must be delete")
    await set_config(admin)
    await wait_until(lambda: unspoilt(settings), 30, "the topics to be right again")


async def test_changed_settings_are_set_back_and_the_topic_s_other_ones_stay(
    admin: AIOKafkaAdminClient, settings: Settings
) -> None:
    await set_config(admin, cleanup_policy="compact", segment_ms="123456")
    await seen(settings, "cleanup.policy=compact, it must be delete: run `piperoll topics repair`")
    assert await repair_topics(settings) == [JOB_EVENTS.name]
    await wait_until(lambda: unspoilt(settings), 30, "the topics to be right again")
    assert (await inspect(settings))[JOB_EVENTS.name].overrides["segment.ms"] == "123456"
    assert await repair_topics(settings) == []


async def test_a_missing_topic_is_reported_and_created_again(admin: AIOKafkaAdminClient, settings: Settings) -> None:
    await admin.delete_topics([DEAD_LETTERS.name])
    await seen(settings, "the topic piperoll.dead-letters.v1 does not exist: create it with")
    assert await create_topics(settings) == [DEAD_LETTERS.name]
    assert await unspoilt(settings)


async def test_a_log_that_lost_its_beginning_is_refused(
    admin: AIOKafkaAdminClient, settings: Settings, appender: KafkaAppender
) -> None:
    """Last, because nothing mends it."""
    placed = await appender.append(JOB_EVENTS, fact("job-first", created()))
    part = TopicPartition(JOB_EVENTS.name, placed.partition)
    await admin.delete_records({part: RecordsToDelete(before_offset=placed.offset + 1)})
    await seen(settings, "piperoll.jobs.events.v1 lost its oldest records")
    with pytest.raises(TopicDriftError, match="the history is incomplete"):
        await TopicWatch(settings).begin()
