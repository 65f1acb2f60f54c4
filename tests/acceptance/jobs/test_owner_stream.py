"""The stream of all jobs and batches of an owner: nothing is lost over a reconnect, at any process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from piperoll.settings import Settings
from services.api import app as api_app
from tests.support.clients.sse import StreamEvent, events
from tests.support.files.pdf import held_pdf
from tests.support.servers.website import Website
from tests.support.stacks.api import Service, a_free_port
from tests.support.stacks.system import System
from tests.support.waiting import PATIENCE_S, wait_until

PATH = "/api/stream"
ENDED = ("completed", "failed")


@pytest.fixture
async def owner(system: System) -> dict[str, str]:
    """The headers of a new owner."""
    return {"Authorization": f"Bearer {await system.create_key(f'streams-{uuid4().hex[:8]}')}"}


@asynccontextmanager
async def stream(
    client: httpx.AsyncClient, owner: dict[str, str], **query: str
) -> AsyncIterator[AsyncIterator[StreamEvent]]:
    """The events of an open stream; `last` is the id to resume at."""
    last = {"Last-Event-ID": query.pop("last")} if "last" in query else {}
    async with client.stream("GET", PATH, headers={**owner, **last}, params=query) as reply:
        assert reply.status_code == 200, await reply.aread()
        assert reply.headers["Content-Type"].startswith("text/event-stream")
        yield events(reply)


async def create(system: System, owner: dict[str, str], **parameters: object) -> str:
    data = await system.post("/api/jobs/", {"job_type": "noop", "parameters": parameters}, **owner)
    return str(data["job_id"])


async def events_until_ended(stream_events: AsyncIterator[StreamEvent], *job_ids: str) -> list[StreamEvent]:
    """The events until all these jobs have ended."""
    waiting, received = set(job_ids), []
    async with asyncio.timeout(PATIENCE_S):
        while waiting:
            event = await anext(stream_events)
            received.append(event)
            if event.name == "job" and event.data["status"] in ENDED:
                waiting.discard(event.data["job_id"])
    return received


async def test_a_stream_follows_each_job_from_its_creation_to_its_end(system: System, owner: dict[str, str]) -> None:
    async with stream(system.client, owner) as stream_events:
        opened = await anext(stream_events)
        assert (opened.name, opened.data) == ("open", {"resumed": False})
        job_ids = [await create(system, owner, sleep_s=0.5, steps=3) for _ in range(6)]
        received = await events_until_ended(stream_events, *job_ids)
    for job_id in job_ids:
        own = [event.data for event in received if event.name == "job" and event.data["job_id"] == job_id]
        assert own[-1]["status"] == "completed"
        assert own[-1]["progress"]["percent"] == 100
        assert own[-1]["completed_at"]
        assert not {"results", "parameters", "logs"} & own[-1].keys()
        percents = [data["progress"]["percent"] for data in own if "progress" in data]
        assert percents == sorted(percents)
    assert {event.data["job_id"] for event in received} == set(job_ids)


async def test_a_new_stream_sends_no_earlier_changes(system: System, owner: dict[str, str]) -> None:
    before = await create(system, owner)
    key = owner["Authorization"]
    await wait_until(lambda: _ended(system, before, key), 30, "the job to end")
    async with stream(system.client, owner) as stream_events:
        await anext(stream_events)
        job_id = await create(system, owner)
        received = await events_until_ended(stream_events, job_id)
    assert {event.data["job_id"] for event in received} == {job_id}


async def test_a_stream_sends_the_jobs_of_its_owner_only(system: System, owner: dict[str, str]) -> None:
    other = {"Authorization": f"Bearer {await system.create_key(f'streams-{uuid4().hex[:8]}')}"}
    async with stream(system.client, owner) as mine, stream(system.client, other) as theirs:
        await anext(mine)
        await anext(theirs)
        batch = (await system.post("/api/jobs/batch", {"jobs": [{"job_type": "noop", "parameters": {}}] * 3}, **other))[
            "batch"
        ]
        job_id = await create(system, owner)
        foreign = [member["job_id"] for member in batch["jobs"]]
        stream_events, received = await asyncio.gather(
            events_until_ended(mine, job_id), events_until_ended(theirs, *foreign)
        )
        job_id_2 = await create(system, owner)
        stream_events += await events_until_ended(mine, job_id_2)
    assert {(event.name, event.data["job_id"]) for event in stream_events} == {("job", job_id), ("job", job_id_2)}
    assert {event.data["job_id"] for event in received if event.name == "job"} == set(foreign)


async def test_changes_during_a_disconnect_are_sent_after_it(
    system: System, owner: dict[str, str], site: Website, tmp_path: Path
) -> None:
    held = held_pdf(site, tmp_path)
    async with stream(system.client, owner) as stream_events:
        await anext(stream_events)
        body = {"job_type": "pdf", "parameters": {"url": held.url}}
        running = (await system.post("/api/jobs/", body, **owner))["job_id"]
        first = await anext(stream_events)
    held.release()
    assert first.id is not None
    meanwhile = [await create(system, owner) for _ in range(20)]
    key = owner["Authorization"]
    for job_id in (running, *meanwhile):
        await wait_until(lambda job_id=job_id: _ended(system, job_id, key), 60, f"{job_id} to end")  # type: ignore[misc]
    async with stream(system.client, owner, last=first.id) as stream_events:
        opened = await anext(stream_events)
        assert (opened.data, opened.id) == ({"resumed": True}, first.id)
        received = await events_until_ended(stream_events, running, *meanwhile)
    ends = [event.data["job_id"] for event in received]
    assert sorted(ends) == sorted([running, *meanwhile]), "each once, in its present state"


async def test_another_api_process_resumes_a_stream(system: System, owner: dict[str, str]) -> None:
    port = a_free_port()
    variables = {**system.stack.environment, "PIPEROLL_API_PORT": str(port), "PIPEROLL_HEALTH_PORT": "0"}
    other = Service(api_app.main, Settings.from_environment({**variables, "PIPEROLL_INSTANCE": "other-api"}))
    async with stream(system.client, owner) as stream_events:
        await anext(stream_events)
        job_ids = [await create(system, owner, sleep_s=0.3, steps=3) for _ in range(4)]
        received = [await anext(stream_events) for _ in range(3)]
    last = received[-1].id
    assert last is not None
    other.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            await wait_until(lambda: _ready(client), 30, "the other API", not_yet=(httpx.TransportError,))
            open_ended = {event.data["job_id"] for event in received if event.data["status"] in ENDED}
            async with stream(client, owner, last=last) as stream_events:
                received += await events_until_ended(stream_events, *(set(job_ids) - open_ended))
                drained = asyncio.create_task(_to_end(stream_events))
                await other.stop()
                async with asyncio.timeout(PATIENCE_S):
                    assert (await drained)[-1].name == "end"
    finally:
        await other.stop()
    jobs = [event for event in received if event.name == "job"]
    assert {event.data["job_id"] for event in jobs if event.data["status"] == "completed"} == set(job_ids)
    states = [(event.data["job_id"], event.data["status"], str(event.data.get("progress"))) for event in jobs]
    assert len(set(states)) == len(states), "nothing twice"


async def test_a_batch_is_followed_by_its_counts(system: System, owner: dict[str, str]) -> None:
    jobs = [{"job_type": "noop", "parameters": {"sleep_s": 0.2}}] * 5
    async with stream(system.client, owner) as stream_events:
        await anext(stream_events)
        batch_id = (await system.post("/api/jobs/batch", {"jobs": jobs}, **owner))["batch_id"]
        counts = []
        async with asyncio.timeout(PATIENCE_S):
            async for event in stream_events:
                if event.name == "batch":
                    assert event.data["batch_id"] == batch_id
                    counts.append(event.data)
                    if event.data["status"] == "completed":
                        break
    assert (counts[-1]["job_count"], counts[-1]["completed_count"], counts[-1]["pending_jobs"]) == (5, 5, 0)
    done = [count["completed_count"] for count in counts]
    assert done == sorted(done)


@pytest.mark.parametrize(
    ("headers", "query"),
    [({"Last-Event-ID": "nonsense"}, {}), ({"Last-Event-ID": "1.-2"}, {}), ({}, {"status": "failed"})],
)
async def test_an_invalid_stream_request_is_refused(
    system: System, owner: dict[str, str], headers: dict[str, str], query: dict[str, str]
) -> None:
    reply = await system.client.get(PATH, headers={**owner, **headers}, params=query)
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "INVALID_REQUEST"
    assert (await system.client.get(PATH, headers={"Authorization": "Bearer none"})).status_code == 401


async def _to_end(stream_events: AsyncIterator[StreamEvent]) -> list[StreamEvent]:
    return [event async for event in stream_events]


async def _ended(system: System, job_id: str, authorization: str) -> bool:
    reply = await system.client.get(f"/api/jobs/{job_id}", headers={"Authorization": authorization})
    return reply.status_code == 200 and reply.json()["data"]["status"] in ENDED


async def _ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/api/health/ready")).status_code == 200
