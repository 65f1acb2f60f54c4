"""Server-sent events of a job: the state at once, each change of status or percent, then the end.
See docs/contract/secretary.md#stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx

from tests.support.clients.sse import StreamEvent, events
from tests.support.files.pdf import pdf
from tests.support.stacks.system import System
from tests.support.waiting import PATIENCE_S


@asynccontextmanager
async def stream(system: System, job_id: str, **headers: str) -> AsyncIterator[httpx.Response]:
    """An open stream."""
    headers = {"Accept": "text/event-stream", **headers}
    async with system.client.stream("GET", f"/api/jobs/{job_id}/stream", headers=headers) as reply:
        yield reply


async def all_events(system: System, job_id: str, **headers: str) -> list[StreamEvent]:
    """All events up to the end of the stream."""
    async with stream(system, job_id, **headers) as reply:
        assert reply.status_code == 200
        return [event async for event in events(reply)]


async def test_a_stream_follows_a_job_from_its_present_state_to_its_end(system: System) -> None:
    job_id = await system.create(sleep_s=5, steps=20)
    async with stream(system, job_id) as reply:
        assert reply.headers["Content-Type"].startswith("text/event-stream")
        assert reply.headers["Cache-Control"] == "no-cache"
        assert reply.headers["X-Accel-Buffering"] == "no"
        received = [event async for event in events(reply)]
    names = [event.name for event in received]
    assert names[-1] == "completed"
    assert set(names[:-1]) <= {"pending", "progress"}
    running = [event for event in received if event.name == "progress"]
    percents = [event.data["data"]["progress"] for event in running]
    assert percents == sorted(set(percents)), "each percent once, rising"
    assert len(percents) >= 3
    for event in received:
        assert event.data["job"] == {"id": job_id}
        assert event.data["process"] == {"id": job_id, "main_processor": "noop"}
    assert {event.data["phase"] for event in running} == {"running"}
    assert received[-1].data["phase"] == "completed"


async def test_the_last_event_of_a_pdf_carries_the_body_of_its_webhook(system: System) -> None:
    webhook = {"url": system.receiver.url("/streamed"), "jobId": "client_job_id"}
    job_id = await system.create("pdf", filename=str(pdf(system.files / "streamed.pdf")), webhook=webhook)
    last = (await all_events(system, job_id))[-1]
    hook = (await system.wait_for_final_hooks([job_id]))[job_id][-1]
    assert last.data["data"] == hook["data"]
    assert last.data["job"] == {"id": "client_job_id"}
    assert "This is page 1." in last.data["data"]["extracted_text"]


async def test_a_failed_job_s_stream_ends_with_its_error(system: System) -> None:
    job_id = await system.create(behaviour="fail", error_code="INVALID_PDF", sleep_s=0.3)
    last = (await all_events(system, job_id))[-1]
    assert (last.name, last.data["phase"], last.data["data"]) == ("error", "error", None)
    assert set(last.data["error"]) == {"code", "message", "details"}
    assert last.data["error"]["code"] == "INVALID_PDF"


async def test_an_ended_job_has_one_event_and_none_after_it(system: System) -> None:
    job_id = await system.create()
    await system.wait_for_end(job_id)
    [event] = await all_events(system, job_id)
    assert event.name == "completed"
    assert event.id is not None
    again = await system.client.get(f"/api/jobs/{job_id}/stream", headers={"Last-Event-ID": event.id})
    assert (again.status_code, again.content) == (204, b"")
    [repeated] = await all_events(system, job_id, **{"Last-Event-ID": "nonsense"})
    assert repeated == event


async def test_a_client_resumes_a_stream_without_repeated_events(system: System) -> None:
    job_id = await system.create(sleep_s=3, steps=6)
    received: list[StreamEvent] = []
    async with stream(system, job_id) as reply:
        async for event in events(reply):
            received.append(event)
            if event.name == "progress" and event.data["data"]["progress"] > 0:
                break
    assert received[-1].id is not None
    rest = await all_events(system, job_id, **{"Last-Event-ID": received[-1].id})
    assert rest[-1].name == "completed"
    percents = [event.data["data"]["progress"] for event in received + rest[:-1] if event.name == "progress"]
    assert percents == sorted(set(percents)), "nothing twice"


async def test_many_clients_get_the_same_last_event(system: System) -> None:
    job_id = await system.create(sleep_s=1)
    streams = await asyncio.gather(*(all_events(system, job_id) for _ in range(10)))
    assert {received[-1].name for received in streams} == {"completed"}
    assert len({received[-1].id for received in streams}) == 1


async def test_a_job_erased_meanwhile_ends_its_streams(system: System) -> None:
    job_id = await system.create(sleep_s=3600)
    listening = asyncio.create_task(all_events(system, job_id))
    await system.wait_for_status(job_id, "processing")
    assert (await system.client.delete(f"/api/jobs/{job_id}")).status_code == 200
    async with asyncio.timeout(PATIENCE_S):
        last = (await listening)[-1]
    assert (last.name, last.data["error"]["code"]) == ("error", "NOT_FOUND")


async def test_an_unknown_job_has_no_stream(system: System) -> None:
    reply = await system.client.get(f"/api/jobs/job-{uuid4()}/stream")
    assert reply.status_code == 404
    assert reply.json()["error"]["message"] == "job not found"
