"""Reading jobs over a real Kafka, a real Postgres and a real projector: one's own writes, waiting, outages."""

import asyncio
from uuid import uuid4

import httpx

from schemas.events import JobCompleted, JobProgress, JobStarted
from schemas.ids import draw_run
from tests.support.stacks.api import (
    NOOP,
    Api,
    ended,
    refused,
    without_projector,
)
from tests.support.waiting import wait_until


async def test_a_created_job_can_be_read_at_once(api: Api) -> None:
    async def create_and_read() -> None:
        created = await api.client.post("/api/jobs", json={**NOOP, "user_id": "u"})
        job_id = created.json()["data"]["job_id"]
        read = await api.client.get(f"/api/jobs/{job_id}")
        assert read.status_code == 200, read.text
        assert read.json()["data"]["status"] == "pending"
        assert created.json()["data"]["job"].items() <= read.json()["data"].items()
        written, seen = (reply.headers["Piperoll-Position"].split(":") for reply in (created, read))
        assert written[0] == seen[0]
        assert int(seen[1]) >= int(written[1])

    await asyncio.gather(*(create_and_read() for _ in range(30)))


async def test_a_batch_and_its_members_can_be_read_without_a_worker(api: Api) -> None:
    jobs = [{"job_type": "noop", "parameters": {"priority": number}} for number in range(5)]
    created = (await api.client.post("/api/jobs/batch", json={"batch_name": "B", "jobs": jobs})).json()["data"]
    members = await asyncio.gather(*(api.job(job_id) for job_id in created["job_ids"]))
    assert [member["parameters"] for member in members] == [job["parameters"] for job in jobs]
    assert {(member["status"], member["batch_id"]) for member in members} == {("pending", created["batch_id"])}
    batch = (await api.client.get(f"/api/jobs/batch/{created['batch_id']}")).json()["data"]
    assert (batch["batch_name"], batch["status"], batch["job_count"]) == ("B", "pending", 5)
    assert batch["jobs"] == [{"job_id": job_id, "status": "pending"} for job_id in created["job_ids"]]


async def test_a_batch_ends_with_its_last_member(api: Api) -> None:
    created = (await api.client.post("/api/jobs/batch", json={"jobs": [NOOP, NOOP]})).json()["data"]
    one, other = created["job_ids"]
    assert (await api.client.post(f"/api/jobs/{one}/cancel")).status_code == 200
    path = f"/api/jobs/batch/{created['batch_id']}"
    assert (await api.client.get(path)).json()["data"]["status"] == "processing"
    assert (await api.client.post(f"/api/jobs/{other}/cancel")).status_code == 200
    batch = (await api.client.get(path)).json()["data"]
    assert (batch["status"], batch["failed_count"], batch["completed_count"]) == ("failed", 2, 0)


async def test_a_completed_job_shows_its_results_and_its_log(api: Api) -> None:
    job_id = await api.create()
    result = {"structured_data": {"extracted_text": "Text"}, "assets": [], "target_dir": "/out"}
    await api.run(job_id, result)
    job = await wait_until(lambda: ended(api, job_id), 10, "the job to end")
    assert job["results"] == {**result, "asset_urls": []}
    assert [entry["message"] for entry in job["logs"]] == ["Job started", "Processing completed"]


async def test_erased_blobs_are_omitted_from_the_answer(api: Api) -> None:
    job_id = await api.create()
    await api.run(job_id)
    await wait_until(lambda: ended(api, job_id), 10, "the job to end")
    api.blobs.delete_folder(job_id)
    lines = [line for segment in api.blobs.list("segments") for line in api.blobs.lines(segment)]
    api.blobs.delete([line.range.uri for line in lines if line.subject == job_id])
    job = await api.job(job_id)
    assert job["status"] == "completed"
    assert {"parameters", "results"}.isdisjoint(job)


async def test_a_damaged_blob_is_an_internal_error_without_a_traceback(api: Api) -> None:
    job_id, run = await api.create(), draw_run()
    claim = api.blobs.put(f"{job_id}/{run}", b"no JSON")
    await api.happen(job_id, JobStarted(number=1, run=run, worker="w"), JobCompleted(run=run, result=claim))

    async def reply() -> httpx.Response | None:
        found = await api.client.get(f"/api/jobs/{job_id}")
        return found if found.status_code != 200 else None

    found = await wait_until(reply, 10, "the job to end")
    assert found is not None
    refused(found, 500, "INTERNAL_ERROR")
    assert "Traceback" not in found.text


async def test_unknown_ids_are_not_found(api: Api) -> None:
    for path in ("/api/jobs/job-{id}", "/api/jobs/batch/batch-{id}", "/api/jobs/job-{id}/deliveries"):
        refused(await api.client.get(path.replace("{id}", str(uuid4()))), 404, "NOT_FOUND")


async def test_a_long_poll_answers_when_the_status_changes(api: Api) -> None:
    job_id, run = await api.create(), draw_run()
    polls = [asyncio.create_task(api.job(job_id, wait=20)) for _ in range(5)]
    still = asyncio.create_task(api.job(await api.create(), wait=0.3))
    await api.happen(job_id, JobStarted(number=1, run=run, worker="w"))
    assert {job["status"] for job in await asyncio.gather(*polls)} == {"processing"}
    assert (await still)["status"] == "pending"
    progress = asyncio.create_task(api.job(job_id, wait=20))
    claim = api.blobs.put(f"{job_id}/{run}", b"{}")
    await api.happen(
        job_id,
        JobProgress(run=run, sequence=1, step="extracting_text", percent=50),
        JobCompleted(run=run, result=claim),
    )
    assert (await progress)["status"] == "completed"
    assert (await api.job(job_id, wait=20))["status"] == "completed"


async def test_the_facts_of_a_job_are_numbered_and_paged(api: Api) -> None:
    job_id = await api.create()
    await api.run(job_id)
    await wait_until(lambda: ended(api, job_id), 10, "the job to end")
    path = f"/api/jobs/{job_id}/events"
    first = (await api.client.get(path, params={"limit": 2})).json()["data"]
    rest = (await api.client.get(path, params={"after": first["next"]})).json()["data"]
    events = first["events"] + rest["events"]
    assert [event["sequence"] for event in events] == [1, 2, 3]
    names = [event["type"].split(".")[1] for event in events]
    assert names == ["JobCreated", "JobStarted", "JobCompleted"]
    assert all(event["position"].count(":") == 1 for event in events)
    refused(await api.client.get(path, params={"after": "x"}), 400, "INVALID_PARAMETERS")


async def test_without_the_projector_an_accepted_job_is_unavailable_and_not_404(api: Api) -> None:
    known = await api.create()
    await api.job(known)
    async with without_projector(api):
        headers = {"Idempotency-Key": uuid4().hex}
        reply = await api.client.post("/api/jobs", json=NOOP, headers=headers)
        assert reply.status_code == 200
        assert reply.headers["Piperoll-Idempotency"] == "unchecked"
        job_id = reply.json()["data"]["job_id"]
        read = await api.client.get(f"/api/jobs/{job_id}")
        refused(read, 503, "READ_MODEL_UNAVAILABLE")
        assert int(read.headers["Retry-After"]) > 0
        cancelled = await api.client.post(f"/api/jobs/{known}/cancel")
        assert (cancelled.status_code, cancelled.json()["data"]["status"]) == (202, "pending")
    assert (await api.job(job_id))["status"] == "pending"
    assert (await api.job(known))["error"]["code"] == "CANCELLED"
