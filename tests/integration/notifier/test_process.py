"""The notifier as a separate process on a real Kafka: killed in the middle, started again, stopped."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from piperoll.embedded.stack import Stack, StackOptions
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.settings import Settings
from piperoll.store.blobs import Blobs
from schemas.envelope import Fact
from schemas.events import Event, JobCompleted, JobCreated, JobStarted, WebhookDelivered
from schemas.ids import draw_job_id, event_id
from schemas.topics import JOB_DELIVERIES, JOB_EVENTS
from tests.support.servers.receiver import Receiver, hang, status
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
async def alone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A separate stack, with the notifier as its one service."""
    options = StackOptions(services=("notifier",), extra_env={"PIPEROLL_FINAL_TIMEOUT_S": "3600"})
    async with Stack(tmp_path_factory.mktemp("notifier"), options) as stack:
        yield stack


async def test_hooks_survive_the_death_of_the_process(alone: Stack) -> None:
    settings = Settings.from_environment(alone.environment)
    async with Receiver() as receiver, appending(settings) as appender:
        receiver.answers("/hook", hang, hang, hang, status(200))
        jobs = [await append_job(appender, settings, receiver.url()) for _ in range(3)]
        await receiver.wait_for(lambda r: len(r.received) == 3, 40, "three hooks in flight")
        await alone.kill("notifier")
        jobs += [await append_job(appender, settings, receiver.url()) for _ in range(20)]
        delivered = await wait_until(lambda: all_delivered(settings, jobs), 40, "an outcome of every hook in the log")
        ids = [hook.headers["webhook-id"] for hook in receiver.received]
        assert len(set(ids)) == len(jobs)
        assert len(ids) == len(jobs) + 3, "only what was in flight is sent again"
        assert sorted(delivered) == sorted(jobs), "each delivery stands in the log once"


async def test_hooks_wait_for_postgres_and_follow_when_it_is_back(alone: Stack) -> None:
    settings = Settings.from_environment(alone.environment)
    async with Receiver() as receiver, appending(settings) as appender:
        jobs = [await append_job(appender, settings, receiver.url()) for _ in range(5)]
        await alone.stop_postgres()
        jobs += [await append_job(appender, settings, receiver.url()) for _ in range(5)]
        notifier = alone.pid("notifier")
        await alone.start_postgres()
        await wait_until(lambda: all_delivered(settings, jobs), 40, "an outcome of every hook in the log")
        assert alone.pid("notifier") == notifier, "it waits, it does not die"


@asynccontextmanager
async def appending(settings: Settings) -> AsyncIterator[KafkaAppender]:
    """A producer for as long as a test needs it."""
    appender = KafkaAppender(settings, "test")
    await appender.start()
    try:
        yield appender
    finally:
        await appender.stop()


async def append_job(appender: KafkaAppender, settings: Settings, url: str) -> str:
    """The facts of a job that completes, with their content in the blob store."""
    job_id, blobs = draw_job_id(), Blobs(settings.blob_url)
    document = {"job_type": "noop", "parameters": {"webhook": {"url": url}}}
    parameters = blobs.put(f"{job_id}/in", json.dumps(document).encode())
    result = blobs.put(f"{job_id}/run", b'{"structured_data": {}, "assets": [], "target_dir": ""}')
    history: list[Event] = [
        JobCreated(job_type="noop", parameters=parameters, body_sha256="", has_webhook=True),
        JobStarted(number=1, run="run", worker="worker"),
        JobCompleted(run="run", result=result),
    ]
    for data in history:
        fact_id = event_id(job_id, type(data).__name__)
        await appender.append(JOB_EVENTS, Fact(fact_id, job_id, "owner", datetime.now(UTC), "test", data))
    return job_id


async def all_delivered(settings: Settings, jobs: list[str]) -> list[str] | None:
    """The jobs whose delivery stands in the log, as often as it does, once all of `jobs` are among them."""
    offsets = KafkaOffsets(settings)
    await offsets.start()
    try:
        begin, end = await offsets.begin_offsets(JOB_DELIVERIES), await offsets.end_offsets(JOB_DELIVERIES)
        facts = [record.fact() for record in await offsets.read_range(JOB_DELIVERIES, begin, end)]
    finally:
        await offsets.stop()
    delivered = [fact.subject for fact in facts if isinstance(fact.data, WebhookDelivered)]
    return delivered if set(jobs) <= set(delivered) else None
