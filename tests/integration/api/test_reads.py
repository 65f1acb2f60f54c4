"""The API over a real Kafka, a real Postgres and a real projector: reading one's writes, waiting, cancelling, keys."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from piperoll import keys
from piperoll.settings import Settings
from schemas.events import JobCompleted, JobFailed, JobProgress, JobStarted
from schemas.ids import draw_run
from tests.support.stacks.api import (
    NOOP,
    Api,
    ended,
    refused,
    serving,
    without_projector,
)
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
async def api(environment: dict[str, str]) -> AsyncIterator[Api]:
    """The API beside a projector."""
    async with serving(environment) as serving_api:
        yield serving_api


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


async def test_a_cancelled_job_is_shown_as_failed_and_cannot_be_cancelled_again(api: Api) -> None:
    job_id = await api.create()
    reply = await api.client.post(f"/api/jobs/{job_id}/cancel", json={"reason": "no longer needed"})
    assert reply.status_code == 200, reply.text
    job = reply.json()["data"]
    assert (job["status"], job["error"]["code"]) == ("failed", "CANCELLED")
    assert job["error"]["details"] == {"reason": "no longer needed"}
    refused(await api.client.post(f"/api/jobs/{job_id}/cancel"), 409, "CONFLICT")


async def test_a_job_that_has_ended_cannot_be_cancelled(api: Api) -> None:
    job_id, run = await api.create(), draw_run()
    failed = JobFailed(run=run, error_code="INVALID_PDF")
    await api.happen(job_id, JobStarted(number=1, run=run, worker="w"), failed)
    refused(await api.client.post(f"/api/jobs/{job_id}/cancel"), 409, "CONFLICT")
    job = await api.job(job_id)
    assert job["error"]["code"] == "INVALID_PDF"
    assert job["error"]["message"]


@pytest.mark.parametrize("body", [{"reason": 5}, {"reason": "x" * 65}, {"why": "x"}, ["reason"]])
async def test_a_cancel_with_a_wrong_reason_is_refused(api: Api, body: Any) -> None:
    job_id = await api.create()
    assert (await api.client.post(f"/api/jobs/{job_id}/cancel", json=body)).status_code == 400
    assert (await api.job(job_id))["status"] == "pending"


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


@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs/batch"])
async def test_one_key_creates_once_and_repeats_get_the_first_answer(api: Api, path: str) -> None:
    body = {"jobs": [NOOP]} if path.endswith("batch") else NOOP
    headers = {"Idempotency-Key": uuid4().hex}
    first = await api.client.post(path, json=body, headers=headers)
    repeats = await asyncio.gather(*(api.client.post(path, json=body, headers=headers) for _ in range(5)))
    assert {reply.text for reply in (first, *repeats)} == {first.text}
    assert not any("Piperoll-Idempotency" in reply.headers for reply in repeats)
    other = {**body, "user_id": "else"}
    refused(await api.client.post(path, json=other, headers=headers), 422, "IDEMPOTENCY_CONFLICT")


async def test_of_different_bodies_under_one_key_at_the_same_time_one_wins(api: Api) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    bodies = [{**NOOP, "user_id": f"user-{number}"} for number in range(6)]
    replies = await asyncio.gather(*(api.client.post("/api/jobs", json=body, headers=headers) for body in bodies))
    assert Counter(reply.status_code for reply in replies) == {200: 1, 422: 5}
    won = next(number for number, reply in enumerate(replies) if reply.status_code == 200)
    job = await api.job(replies[won].json()["data"]["job_id"])
    assert job["user_id"] == f"user-{won}"


async def test_a_job_of_another_owner_is_not_found(api: Api, pool: asyncpg.Pool, settings: Settings) -> None:
    job_id = await api.create()
    _, key = await keys.create(pool, settings.key_pepper.get_secret_value(), "stranger")
    stranger = {"Authorization": f"Bearer {key}"}
    assert (await api.client.post("/api/jobs", json=NOOP, headers=stranger)).status_code == 200
    for suffix in ("", "/events", "/deliveries"):
        refused(await api.client.get(f"/api/jobs/{job_id}{suffix}", headers=stranger), 404, "NOT_FOUND")
    refused(await api.client.post(f"/api/jobs/{job_id}/cancel", headers=stranger), 404, "NOT_FOUND")
    assert (await api.job(job_id))["status"] == "pending"


async def test_a_revoked_key_and_an_unknown_key_are_refused(api: Api, pool: asyncpg.Pool, settings: Settings) -> None:
    made, key = await keys.create(pool, settings.key_pepper.get_secret_value(), "acme", ["jobs"])
    assert made.key_id in key
    assert made in await keys.list_all(pool)
    header = {"Authorization": f"Bearer {key}"}
    assert (await api.client.post("/api/jobs", json=NOOP, headers=header)).status_code == 200
    assert await keys.revoke(pool, made.key_id) is not None
    refused(await api.client.post("/api/jobs", json=NOOP, headers=header), 401, "UNAUTHORIZED")
    never = {"Authorization": "Bearer pr_000000000000.never"}
    refused(await api.client.post("/api/jobs", json=NOOP, headers=never), 401, "UNAUTHORIZED")
    assert await keys.revoke(pool, "no-such-id") is None


@pytest.mark.parametrize(("owner", "scopes"), [("../up", ["jobs"]), ("a/b", ["jobs"]), ("", ["jobs"]), ("a", ["root"])])
async def test_a_key_with_an_invalid_owner_or_scope_is_not_created(
    pool: asyncpg.Pool, owner: str, scopes: list[str]
) -> None:
    with pytest.raises(ValueError, match=r"owner|scopes"):
        await keys.create(pool, "pepper", owner, scopes)


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
