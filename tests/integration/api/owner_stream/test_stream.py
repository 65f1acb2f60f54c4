"""The stream of an owner over a real Postgres: its events, heartbeats, waits and end, and its owner."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from schemas.events import BatchCreated, JobErased, JobProgress, JobStarted
from schemas.ids import member_id
from services.api.http.errors import ReadModelUnavailableError
from services.api.jobs.stream import StreamPace
from services.api.owner_stream.changes import ChangeFeed, StreamPlace
from services.api.owner_stream.stream import StreamQuery, owner_stream
from tests.support.histories.jobs import OWNER, claim, created, fact, life, record
from tests.support.stacks.feeding import Projected
from tests.support.waiting import PATIENCE_S

START = StreamPlace((0,))
PATIENT = StreamPace(heartbeat_s=30, timeout_s=60)
EVERYTHING = StreamQuery()
BATCH = "batch-0"
MEMBER = member_id(BATCH, 0)


@pytest.fixture
async def feed(projected: Projected) -> ChangeFeed:
    await projected.empty()
    return await projected.api()


async def stream(
    feed: ChangeFeed,
    asked: StreamQuery = EVERYTHING,
    pace: StreamPace = PATIENT,
    begin: StreamPlace = START,
    owner: str = OWNER,
) -> AsyncIterator[str]:
    async with aclosing(owner_stream(feed, owner, asked, begin, resumed=False, pace=pace)) as events:  # type: ignore[type-var]
        async for written in events:
            for event in written.decode().split("\n\n")[:-1]:
                yield f"{event}\n\n"


def parsed(event: str) -> tuple[str, dict[str, object], str | None]:
    """Name, data and id of an event."""
    fields = dict(line.split(": ", 1) for line in event.strip().splitlines())
    return fields["event"], json.loads(fields["data"]), fields.get("id")


async def test_a_stream_opens_and_sends_the_state_of_each_job(projected: Projected, feed: ChangeFeed) -> None:
    sent = stream(feed)
    assert parsed(await anext(sent)) == ("open", {"resumed": False}, "0")
    begun = [created(job_type="pdf"), *life()[1:3]]
    await projected.handle(0, [record(fact("job-0", event, n), 0, n) for n, event in enumerate(begun)])
    name, data, event_id = parsed(await anext(sent))
    assert (name, event_id) == ("job", "3")
    assert data == {
        "job_id": "job-0",
        "job_type": "pdf",
        "status": "processing",
        "user_id": "user-1",
        "progress": {"step": "extracting_text", "percent": 40, "message": "Extracting text from PDF..."},
        "attempt": 1,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:02Z",
        "processing_started_at": "2026-01-01T00:00:01Z",
    }
    await projected.handle(0, [record(fact("job-0", life()[3], 3), 0, 3)])
    assert parsed(await anext(sent))[1]["status"] == "completed"
    await projected.handle(0, [record(fact("job-0", JobErased(by=OWNER), 4), 0, 4)])
    data = parsed(await anext(sent))[1]
    assert (data["job_id"], data["deleted"]) == ("job-0", True)


async def test_a_batch_is_sent_before_the_jobs_that_change_its_counts(projected: Projected, feed: ChangeFeed) -> None:
    sent = stream(feed)
    await anext(sent)
    whole = BatchCreated(count=2, specs=claim(f"{BATCH}/specs"), body_sha256="0" * 64)
    await projected.handle(7, [record(fact(BATCH, whole), 7, 0)])
    name, data, event_id = parsed(await anext(sent))
    assert (name, data["batch_id"], data["pending_jobs"]) == ("batch", BATCH, 2)
    assert event_id is not None, "alone, it is the last of its page"
    started = JobStarted(number=1, run="run-a", worker="w")
    events = [created(BATCH), started]
    await projected.handle(3, [record(fact(MEMBER, event, n), 3, n) for n, event in enumerate(events)])
    name, data, event_id = parsed(await anext(sent))
    assert (name, data["status"], data["processing_jobs"], event_id) == ("batch", "processing", 1, None)
    name, data, event_id = parsed(await anext(sent))
    assert (name, data["batch_id"]) == ("job", BATCH)
    assert event_id is not None
    progress = JobProgress(run="run-a", sequence=1, step="extracting_text", percent=40)
    await projected.handle(3, [record(fact(MEMBER, progress, 9), 3, 2)])
    assert parsed(await anext(sent))[0] == "job", "progress changes no count"


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (StreamQuery(), ["batch", "job", "job"]),
        (StreamQuery(job_type="noop"), ["job", "job"]),
        (StreamQuery(job_type="pdf"), []),
        (StreamQuery(batch_id=BATCH), ["batch", "job"]),
        (StreamQuery(batch_id="batch-1"), []),
    ],
)
async def test_a_filtered_stream_sends_matching_jobs_and_can_be_resumed(
    projected: Projected, feed: ChangeFeed, asked: StreamQuery, names: list[str]
) -> None:
    whole = BatchCreated(count=1, specs=claim(f"{BATCH}/specs"), body_sha256="0" * 64)
    facts = [fact(BATCH, whole), fact(MEMBER, created(BATCH)), fact("job-0", created())]
    await projected.handle(0, [record(one, 0, offset) for offset, one in enumerate(facts)])
    brief = StreamPace(heartbeat_s=30, timeout_s=0.3)
    events = [parsed(event) async for event in stream(feed, asked, brief)]
    assert [name for name, _, _ in events] == ["open", *names, "end"]
    last = StreamPlace.parse(events[-1][2] or "")
    assert last is not None
    assert last.offset(0) == 3, "facts that the filter excludes are not read again"


async def test_other_owners_get_no_events(projected: Projected, feed: ChangeFeed) -> None:
    await projected.handle(0, [record(fact("job-0", created()), 0, 0)])
    brief = StreamPace(heartbeat_s=30, timeout_s=0.3)
    assert [parsed(event)[0] async for event in stream(feed, pace=brief, owner="else")] == ["open", "end"]


async def test_an_idle_stream_sends_heartbeats_and_ends_at_its_timeout(feed: ChangeFeed) -> None:
    beating, began = stream(feed, pace=StreamPace(heartbeat_s=0.1, timeout_s=3600)), time.monotonic()
    await anext(beating)
    assert [await anext(beating) for _ in range(3)] == [": heartbeat\n\n"] * 3
    assert time.monotonic() - began >= 0.3, "no beat comes too early"
    await beating.aclose()  # type: ignore[attr-defined]
    events = [event async for event in stream(feed, pace=StreamPace(heartbeat_s=3600, timeout_s=0.3))]
    assert [parsed(event)[0] for event in events] == ["open", "end"]


async def test_streams_end_when_the_service_stops(feed: ChangeFeed) -> None:
    streams = [stream(feed) for _ in range(3)]
    for one in streams:
        await anext(one)
    ends = [asyncio.ensure_future(anext(one)) for one in streams]
    await asyncio.sleep(0)
    feed.close()
    async with asyncio.timeout(PATIENCE_S):
        assert [parsed(event)[0] for event in await asyncio.gather(*ends)] == ["end"] * 3


async def test_a_stream_survives_an_outage_and_loses_nothing(projected: Projected, feed: ChangeFeed) -> None:
    sent = stream(feed)
    await anext(sent)
    await projected.handle(0, [record(fact("job-0", created()), 0, 0)])
    await projected.pool.execute("ALTER TABLE read_v1.events RENAME TO events_away")
    waiting = asyncio.ensure_future(anext(sent))
    with pytest.raises(ReadModelUnavailableError):
        await feed.page(OWNER, START)
    await projected.pool.execute("ALTER TABLE read_v1.events_away RENAME TO events")
    async with asyncio.timeout(PATIENCE_S):
        assert parsed(await waiting)[1]["job_id"] == "job-0"


async def test_a_slow_reader_gets_each_job_once_with_its_latest_state(projected: Projected, feed: ChangeFeed) -> None:
    sent = stream(feed)
    await anext(sent)
    for number in range(30):
        progress = JobProgress(run="run-a", sequence=number + 1, step="extracting_text", percent=number)
        start = [created(), JobStarted(number=1, run="run-a", worker="w")] if number == 0 else []
        facts = [fact("job-0", event, number) for event in [*start, progress]]
        first = projected.ends.get(0, 0)
        await projected.handle(0, [record(one, 0, first + offset) for offset, one in enumerate(facts)])
    assert parsed(await anext(sent))[1]["progress"]["percent"] == 29  # type: ignore[index]
