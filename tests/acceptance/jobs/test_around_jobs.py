"""Around the jobs (contract 2c, 2e, 14, 16): lists, erasing, restarting. Spoken by HTTP alone."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.files.pdf import pdf
from tests.support.stacks.system import ENDED, Json, System


async def stranger(system: System) -> httpx.AsyncClient:
    """A client of an owner who has no job yet."""
    key = await system.create_key(f"owner-{uuid4().hex[:8]}")
    return httpx.AsyncClient(base_url=system.stack.api_url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


async def listed(client: httpx.AsyncClient, path: str = "/api/jobs/", **query: Any) -> Json:
    """The data of a list."""
    reply = await client.get(path, params=query)
    assert reply.status_code == 200, reply.text
    assert reply.json()["status"] == "success"
    return dict(reply.json()["data"])


async def posted(client: httpx.AsyncClient, path: str, body: Any) -> Json:
    """The data of a creation."""
    reply = await client.post(path, json=body)
    assert reply.status_code == 200, reply.text
    return dict(reply.json()["data"])


async def ended(client: httpx.AsyncClient, job_id: str) -> None:
    """Waits for a job's end. A long poll answers at each change of status, of which a retry makes several."""
    for _ in range(10):
        reply = await client.get(f"/api/jobs/{job_id}", params={"wait": 30})
        if reply.json()["data"]["status"] in ENDED:
            return
    raise AssertionError(f"{job_id} did not end")


def noop(user_id: str | None = None, **parameters: Any) -> Json:
    """A job's body."""
    job: Json = {"job_type": "noop", "parameters": parameters}
    return job if user_id is None else {**job, "user_id": user_id}


def refused(reply: httpx.Response, status: int, code: str) -> Json:
    """The error of a refusal."""
    assert reply.status_code == status, reply.text
    assert reply.json()["error"]["code"] == code
    return dict(reply.json()["error"])


async def test_a_list_shows_the_owner_s_own_jobs_newest_first_and_at_once(system: System) -> None:
    async with await stranger(system) as client:
        assert await listed(client) == {"total": 0, "jobs": []}
        ids = [(await posted(client, "/api/jobs/", noop(sleep_s=0.01 * n)))["job_id"] for n in range(5)]
        found = await listed(client)
        assert found["total"] == 5
        assert [job["job_id"] for job in found["jobs"]] == ids[::-1]
        newest = found["jobs"][0]
        assert {"job_id", "job_type", "status", "created_at", "updated_at", "parameters"} <= set(newest)
        assert newest["parameters"] == {"sleep_s": 0.04}
        assert {"results", "logs"}.isdisjoint(newest)
        page = await listed(client, "/api/jobs", limit=2, skip=1)
        assert (page["total"], [job["job_id"] for job in page["jobs"]]) == (5, [ids[3], ids[2]])
        assert await listed(client, skip=99) == {"total": 5, "jobs": []}


async def test_the_filters_of_a_list_combine(system: System) -> None:
    async with await stranger(system) as client:
        batch = await posted(client, "/api/jobs/batch", {"jobs": [noop(target_id="t"), noop(behaviour="fail")]})
        alone = (await posted(client, "/api/jobs/", noop("ann", target_id="t", sleep_s=3600)))["job_id"]
        first, second = batch["job_ids"]
        for job_id in (first, second):
            await ended(client, job_id)

        async def ids(**query: Any) -> set[str]:
            found = await listed(client, **query)
            assert found["total"] == len(found["jobs"])
            return {job["job_id"] for job in found["jobs"]}

        assert await ids(batch_id=batch["batch_id"]) == {first, second}
        assert await ids(target_id="t") == {first, alone}
        assert await ids(target_id="t", batch_id=batch["batch_id"]) == {first}
        assert await ids(user_id="ann") == {alone}
        assert await ids(status="failed") == {second}
        assert await ids(status="completed", job_type="noop") == {first}
        assert await ids(job_type="pdf") == set()
        assert (await client.post(f"/api/jobs/{alone}/cancel")).status_code == 200
        assert await ids(status="failed") == {second, alone}, "a cancelled job reads failed"
        mine = await client.get("/api/jobs/", headers={"X-User-ID": "ann"})
        assert [job["job_id"] for job in mine.json()["data"]["jobs"]] == [alone]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"status": "done"}, "INVALID_PARAMETERS"),
        ({"limit": "1001"}, "INVALID_PARAMETERS"),
        ({"limit": "-1"}, "INVALID_PARAMETERS"),
        ({"skip": "x"}, "INVALID_PARAMETERS"),
        ({"stauts": "failed"}, "INVALID_REQUEST"),
    ],
)
@pytest.mark.parametrize("path", ["/api/jobs/", "/api/jobs/batches"])
async def test_a_list_refuses_what_it_does_not_understand(
    system: System, path: str, query: dict[str, str], code: str
) -> None:
    refused(await system.client.get(path, params=query), 400, code)


async def test_the_list_of_batches_counts_their_jobs(system: System) -> None:
    async with await stranger(system) as client:
        body = {"batch_name": "First", "jobs": [noop(), noop(behaviour="fail")]}
        first = await posted(client, "/api/jobs/batch", body)
        second = await posted(client, "/api/jobs/batch", {"jobs": [noop(sleep_s=3600)], "user_id": "ann"})
        for job_id in first["job_ids"]:
            await ended(client, job_id)
        found = await listed(client, "/api/jobs/batches")
        assert found["total"] == 2
        newest, oldest = found["batches"]
        assert (newest["batch_id"], oldest["batch_id"]) == (second["batch_id"], first["batch_id"])
        assert newest["batch_name"] == second["batch_id"]
        assert (oldest["batch_name"], oldest["status"]) == ("First", "completed")
        assert (oldest["job_count"], oldest["completed_count"], oldest["failed_count"]) == (2, 1, 1)
        whole = (await client.get(f"/api/jobs/batch/{first['batch_id']}")).json()["data"]
        assert {**oldest, "jobs": whole["jobs"]} == whole
        done = await listed(client, "/api/jobs/batches", status="completed")
        assert [batch["batch_id"] for batch in done["batches"]] == [first["batch_id"]]
        assert (await listed(client, "/api/jobs/batches", user_id="ann"))["total"] == 1
        assert (await listed(client, "/api/jobs/batches", archived="true"))["total"] == 0
        assert (await listed(client, "/api/jobs/batches", archived="false", limit=1))["total"] == 2
        assert (await client.delete(f"/api/jobs/batch/{second['batch_id']}")).status_code == 200
        assert (await client.post(f"/api/jobs/{second['job_ids'][0]}/cancel")).status_code == 200


async def test_a_deleted_job_is_gone_and_its_batch_keeps_its_counts(system: System) -> None:
    created = await system.create_batch(2)
    gone, stays = (job["job_id"] for job in created["jobs"])
    await system.wait_for_all([gone, stays])
    before = await system.batch(created["batch_id"])
    reply = await system.client.delete(f"/api/jobs/{gone}")
    assert reply.status_code == 200, reply.text
    assert reply.json()["data"] == {"job_id": gone, "message": "job deleted"}
    for suffix in ("", "/events", "/deliveries", "/stream", "/download-archive", "/files/a.jpg"):
        refused(await system.client.get(f"/api/jobs/{gone}{suffix}"), 404, "NOT_FOUND")
    refused(await system.client.delete(f"/api/jobs/{gone}"), 404, "NOT_FOUND")
    refused(await system.client.post(f"/api/jobs/{gone}/restart"), 404, "NOT_FOUND")
    after = await system.batch(created["batch_id"])
    assert (after["job_count"], after["completed_count"]) == (before["job_count"], before["completed_count"]) == (2, 2)
    found = await listed(system.client, batch_id=created["batch_id"])
    assert [job["job_id"] for job in found["jobs"]] == [stays]


async def test_deleting_a_running_job_stops_it(system: System) -> None:
    running = [await system.create(sleep_s=3600) for _ in range(2)]
    for job_id in running:
        await system.wait_for_status(job_id, "processing")
    for job_id in running:
        assert (await system.client.delete(f"/api/jobs/{job_id}")).status_code == 200
    # Both slots are free again.
    assert (await system.wait_for_end(await system.create()))["status"] == "completed"


async def test_a_deleted_batch_is_gone_with_its_jobs_also_those_that_never_began(system: System) -> None:
    created = await system.create_batch(30, sleep_s=3600)
    ids = [job["job_id"] for job in created["jobs"]]
    reply = await system.client.delete(f"/api/jobs/batch/{created['batch_id']}")
    assert reply.status_code == 200, reply.text
    assert reply.json()["data"]["jobs_deleted"] == 30
    refused(await system.client.get(f"/api/jobs/batch/{created['batch_id']}"), 404, "NOT_FOUND")
    refused(await system.client.delete(f"/api/jobs/batch/{created['batch_id']}"), 404, "NOT_FOUND")
    for job_id in ids:
        refused(await system.client.get(f"/api/jobs/{job_id}"), 404, "NOT_FOUND")
    batches = (await listed(system.client, "/api/jobs/batches", limit=1000))["batches"]
    assert created["batch_id"] not in [batch["batch_id"] for batch in batches]
    report = await system.verify()
    assert report.holds, report.violations
    assert (await system.wait_for_end(await system.create()))["status"] == "completed"


async def test_a_restart_is_a_new_job_with_the_same_parameters(system: System) -> None:
    path = system.files / f"late-{uuid4().hex[:8]}.pdf"
    webhook = {"url": system.receiver.url("/restarted"), "token": "restart-token", "jobId": "mine"}
    body = {"filename": str(path), "use_cache": False, "webhook": webhook}
    first = await system.create("pdf", **body)
    assert (await system.wait_for_end(first))["error"]["code"] == "FILE_NOT_FOUND"
    pdf(path, pages=1)
    reply = await system.client.post(f"/api/jobs/{first}/restart")
    assert reply.status_code == 200, reply.text
    data = reply.json()["data"]
    assert data["job_id"] != first
    assert (data["job"]["status"], data["job"]["retry_of"]) == ("pending", first)
    second = await system.wait_for_end(data["job_id"])
    assert (second["status"], second["retry_of"]) == ("completed", first)
    assert second["parameters"] == {**body, "webhook": {**webhook, "token": "***"}}
    assert (await system.job(first))["status"] == "failed", "the old job stays what it was"
    await system.wait_for_final_hooks([data["job_id"]])
    sent = [one for one in system.receiver.received if one.json["process"]["id"] == data["job_id"]]
    assert {one.headers["Authorization"] for one in sent} == {"Bearer restart-token"}


async def test_a_job_that_has_not_ended_cannot_be_restarted(system: System) -> None:
    job_id = await system.create(sleep_s=3600)
    refused(await system.client.post(f"/api/jobs/{job_id}/restart"), 409, "CONFLICT")
    assert (await system.client.post(f"/api/jobs/{job_id}/cancel")).status_code == 200
    again = await system.client.post(f"/api/jobs/{job_id}/restart")
    assert again.status_code == 200
    assert (await system.client.delete(f"/api/jobs/{again.json()['data']['job_id']}")).status_code == 200
    refused(await system.client.post(f"/api/jobs/job-{uuid4()}/restart"), 404, "NOT_FOUND")


async def test_the_same_key_restarts_a_job_once(system: System) -> None:
    first, other = await system.create(), await system.create(sleep_s=0.1)
    await system.wait_for_all([first, other])
    headers = {"Idempotency-Key": uuid4().hex}
    replies = [await system.client.post(f"/api/jobs/{first}/restart", headers=headers) for _ in range(2)]
    assert replies[0].json() == replies[1].json()
    refused(await system.client.post(f"/api/jobs/{other}/restart", headers=headers), 422, "IDEMPOTENCY_CONFLICT")


async def test_another_owner_s_jobs_can_neither_be_deleted_nor_restarted(system: System) -> None:
    job_id = await system.create()
    batch_id = (await system.create_batch(1))["batch_id"]
    await system.wait_for_end(job_id)
    async with await stranger(system) as client:
        refused(await client.delete(f"/api/jobs/{job_id}"), 404, "NOT_FOUND")
        refused(await client.post(f"/api/jobs/{job_id}/restart"), 404, "NOT_FOUND")
        refused(await client.delete(f"/api/jobs/batch/{batch_id}"), 404, "NOT_FOUND")
    assert (await system.job(job_id))["status"] == "completed"
    assert (await system.batch(batch_id))["job_count"] == 1
