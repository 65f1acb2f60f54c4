"""Streams over a real Postgres and projector: heartbeats, their end, and that nothing is left of who went away."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import pytest

from piperoll.clock import utc_now
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.runtime import Lifetime
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import Event, JobCreated, JobErased, JobProgress, JobStarted
from schemas.ids import draw_run, event_id
from schemas.topics import JOB_EVENTS
from services.api.jobs.reading import Reading
from services.api.jobs.stream import StreamPace, job_stream
from services.api.jobs.watch import JobWatch
from services.api.log.ends import LogEnds
from services.api.outlook.observing import Observer
from services.api.read_model.catching_up import CatchingUp
from services.api.read_model.contents import Contents
from services.api.read_model.jobs import ReadModel
from services.api.read_model.positions import Positions
from services.projector import app as projector_app
from tests.support.waiting import PATIENCE_S, wait_until

OWNER = "streams"
CLAIM = Claim(uri="job/in/none", sha256="0" * 64, size=1)
PATIENT = StreamPace(heartbeat_s=30, timeout_s=60)


@dataclass
class Api:
    """The reading side of one API process; each instance stands for a process."""

    reading: Reading
    watch: JobWatch
    appender: KafkaAppender

    async def happen(self, job_id: str, *events: Event) -> None:
        for event in events:
            fact = Fact(event_id(draw_run(), type(event).__name__), job_id, OWNER, utc_now(), "tests", event)
            await self.appender.append(JOB_EVENTS, fact)

    async def create(self) -> str:
        job_id = f"job-{uuid4()}"
        await self.happen(job_id, JobCreated(job_type="noop", parameters=CLAIM, body_sha256="0"))
        return job_id

    async def stream(self, job_id: str, pace: StreamPace, known: int | None = None) -> AsyncIterator[str]:
        row = await self.reading.job(job_id, OWNER)
        async with aclosing(job_stream(self.reading, row, job_id, known, pace)) as events:  # type: ignore[type-var]
            async for event in events:
                yield event.decode()


@pytest.fixture(scope="module")
async def apis(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[tuple[Api, Api]]:
    """The reading sides of two API processes over one read model, and a projector."""
    lifetime = Lifetime()
    appender, offsets = KafkaAppender(settings, "test-streams"), KafkaOffsets(settings)
    await appender.start()
    await offsets.start()
    blobs = AsyncBlobs(Blobs(settings.blob_url))
    made, places = [], []
    tasks = [asyncio.create_task(projector_app.main(settings, lifetime))]
    for _ in range(2):
        positions, read_model = Positions(settings.postgres_dsn.get_secret_value()), ReadModel(pool, 5)
        watch = JobWatch(read_model, positions)
        catching_up = CatchingUp(positions, LogEnds(offsets, 5), pool, 20)
        reading = Reading(read_model, catching_up, watch, Contents(blobs), Observer(pool, utc_now, 5))
        made.append(Api(reading, watch, appender))
        places.append(positions)
        tasks += [asyncio.create_task(positions.run()), asyncio.create_task(watch.run())]
    await wait_until(lambda: all(place.problem() is None for place in places), 30, "the projector to be there")
    await wait_until(lambda: made[1].reading.catching_up.briefly(1), 30, "the projector to have read what others left")
    yield made[0], made[1]
    lifetime.stopping.set()
    await tasks[0]
    for task in tasks[1:]:
        task.cancel()
    await appender.stop()
    await offsets.stop()
    blobs.close()


async def test_an_idle_stream_sends_heartbeats_and_ends_at_its_timeout(apis: tuple[Api, Api]) -> None:
    api, _ = apis
    job_id = await api.create()
    beating, began = api.stream(job_id, StreamPace(heartbeat_s=0.1, timeout_s=3600)), time.monotonic()
    assert (await anext(beating)).startswith("event: pending\n")
    assert [await anext(beating) for _ in range(3)] == [": heartbeat\n\n"] * 3
    assert time.monotonic() - began >= 0.3, "no heartbeat is early"
    await beating.aclose()  # type: ignore[attr-defined]
    _, last = [event async for event in api.stream(job_id, StreamPace(heartbeat_s=3600, timeout_s=0.3))]
    assert last.startswith("event: timeout\n")
    assert '"process"' not in last
    assert api.watch.waiting == 0


async def test_every_process_sends_the_same_events_and_can_resume_a_stream_of_another(apis: tuple[Api, Api]) -> None:
    one, other = apis
    job_id, run = await one.create(), draw_run()
    first = one.stream(job_id, PATIENT)
    assert (await anext(first)).startswith("event: pending")
    await one.happen(job_id, JobStarted(number=1, run=run, worker="w"))
    began = await anext(first)
    assert '"phase":"running"' in began
    await first.aclose()
    known = int(began.rsplit("id: ", 1)[1])
    rest = other.stream(job_id, PATIENT, known)
    following = asyncio.create_task(anext(rest))  # type: ignore[arg-type]
    await wait_until(lambda: other.watch.waiting == 1, 10, "the resumed stream to wait")
    await one.happen(job_id, JobProgress(run=run, sequence=1, step="extracting_text", percent=0))
    await one.happen(job_id, JobProgress(run=run, sequence=2, step="extracting_text", percent=40))
    assert '"data":{"progress":40}' in await following, "neither the known state nor an equal one is sent again"
    await one.happen(job_id, JobErased(by="tests"))
    assert (await anext(rest)).startswith("event: error")
    with pytest.raises(StopAsyncIteration):
        await anext(rest)


async def test_a_client_that_disconnects_leaves_no_waiter(apis: tuple[Api, Api]) -> None:
    api, _ = apis
    job_id = await api.create()

    async def listen() -> None:
        async for _ in api.stream(job_id, PATIENT):
            pass

    listening = [asyncio.create_task(listen()) for _ in range(20)]
    await wait_until(lambda: api.watch.waiting == 1, 10, "a waiter for the job")
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    assert api.watch.waiting == 0


async def test_streams_end_when_the_service_stops(apis: tuple[Api, Api]) -> None:
    _, api = apis
    job_id = await api.create()
    streams = [api.stream(job_id, PATIENT) for _ in range(3)]
    for stream in streams:
        assert (await anext(stream)).startswith("event: pending")
    ends = [asyncio.create_task(anext(stream, "ended")) for stream in streams]  # type: ignore[arg-type]
    await wait_until(lambda: api.watch.waiting == 1, 10, "the streams to wait")
    api.watch.close()
    async with asyncio.timeout(PATIENCE_S):
        assert await asyncio.gather(*ends) == ["ended"] * 3
