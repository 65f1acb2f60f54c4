"""The parts that have two forms, each behind the same cases."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from moto.server import ThreadedMotoServer

from piperoll.log.kafka import KafkaOffsets, client_options
from piperoll.log.producer import KafkaAppender
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.topics import FOR_EVER, JOB_EVENTS, Topic
from tests.support.memory_log import MemoryLog
from tests.support.stacks.reading import Bookkeeper, member
from tests.support.waiting import wait_until

BUCKET = "piperoll"


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """A bucket of an S3 server on this machine, and the usual variables that lead to it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        environment.setenv("AWS_ALLOW_HTTP", "true")
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_REGION", "us-east-1")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket=BUCKET)
        yield f"s3://{BUCKET}"
    server.stop()


@pytest.fixture(params=["local", "s3"])
def blob_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty blob store of either form."""
    if request.param == "local":
        return (tmp_path / "blobs of one machine").as_uri()
    return f"{request.getfixturevalue('s3_url')}/{uuid4().hex}"


@pytest.fixture
async def blobs(blob_url: str) -> AsyncIterator[AsyncBlobs]:
    store = AsyncBlobs(Blobs(blob_url))
    yield store
    store.close()


@dataclass(frozen=True, slots=True)
class LogUnderTest:
    """One form of the log: where to append, where to look, and how to have a reader fed until it has all there is."""

    topic: Topic
    partitions: int
    appender: Any
    offsets: Any
    feed: Callable[[Bookkeeper], Awaitable[None]]


@pytest.fixture
async def topic(settings: Settings) -> Topic:
    """A topic of the session's Kafka for one test alone, made as those of the manifest are."""
    fresh = Topic(name=f"test.{uuid4().hex}", key="any", retention_ms=FOR_EVER, writers=(), groups=())
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        await admin.create_topics([NewTopic(fresh.name, settings.partitions, 1, topic_configs=fresh.config())])
        await wait_until(lambda: _served(admin, fresh, settings.partitions), 10, f"{fresh.name} to be served")
    finally:
        await admin.close()
    return fresh


async def _served(admin: AIOKafkaAdminClient, topic: Topic, partitions: int) -> bool:
    (found,) = await admin.describe_topics([topic.name])
    return not found["error_code"] and len(found["partitions"]) == partitions


@pytest.fixture
async def appender(settings: Settings) -> AsyncIterator[KafkaAppender]:
    running = KafkaAppender(settings, "conformance")
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def offsets(settings: Settings) -> AsyncIterator[KafkaOffsets]:
    running = KafkaOffsets(settings)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture(params=["memory", "kafka"])
def log(request: pytest.FixtureRequest) -> LogUnderTest:
    """An empty log of either form."""
    if request.param == "memory":
        return _memory_log()
    settings: Settings = request.getfixturevalue("settings")
    fresh: Topic = request.getfixturevalue("topic")
    kafka: KafkaOffsets = request.getfixturevalue("offsets")

    async def feed(reader: Bookkeeper) -> None:
        async with member(settings, f"group-{fresh.name}", fresh, reader) as consumer:
            ends = await kafka.end_offsets(fresh)
            await wait_until(lambda: consumer.positions == ends, 30, f"{fresh.name} to be read to {ends}")

    return LogUnderTest(fresh, settings.partitions, request.getfixturevalue("appender"), kafka, feed)


def _memory_log() -> LogUnderTest:
    log = MemoryLog(partitions=6)

    async def feed(reader: Bookkeeper) -> None:
        await log.subscribe(JOB_EVENTS, reader)
        await log.deliver(max_records=7)
        await log.unsubscribe(JOB_EVENTS, reader)

    return LogUnderTest(JOB_EVENTS, 6, log, log, feed)
