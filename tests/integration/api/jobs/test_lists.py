"""Lists and erasure over a real Kafka, a real Postgres and a real projector, without a worker."""

import asyncio

from tests.support.stacks.api import (
    NOOP,
    Api,
    refused,
    without_projector,
)


async def test_a_list_shows_the_projected_jobs_at_once_while_the_projector_is_down(api: Api) -> None:
    seen = await api.create({**NOOP, "user_id": "lister"})
    await api.job(seen)
    async with without_projector(api):
        await api.create({**NOOP, "user_id": "lister"})
        began = asyncio.get_running_loop().time()
        reply = await api.client.get("/api/jobs/", params={"user_id": "lister"})
        assert asyncio.get_running_loop().time() - began < 4, "a list waits two seconds at most"
        assert [job["job_id"] for job in reply.json()["data"]["jobs"]] == [seen]
    assert (await api.client.get("/api/jobs/", params={"user_id": "lister"})).json()["data"]["total"] == 2


async def test_pages_after_a_job_have_every_job_once_also_while_new_ones_come(api: Api) -> None:
    made = [await api.create({**NOOP, "user_id": "reader"}) for _ in range(5)]
    await api.job(made[-1])
    first = (await api.client.get("/api/jobs/", params={"user_id": "reader", "limit": 2})).json()["data"]
    assert first["total"] == 5
    seen = [job["job_id"] for job in first["jobs"]]
    while True:
        await api.job(await api.create({**NOOP, "user_id": "reader"}))
        query = {"user_id": "reader", "limit": 2, "after": seen[-1]}
        page = (await api.client.get("/api/jobs/", params=query)).json()["data"]
        assert set(page) == {"jobs"}
        if not page["jobs"]:
            break
        seen += [job["job_id"] for job in page["jobs"]]
    assert sorted(seen) == sorted(made)


async def test_jobs_are_counted_by_status_and_an_erased_one_is_not(api: Api) -> None:
    made = [await api.create({**NOOP, "user_id": "counter"}) for _ in range(3)]
    await api.client.post(f"/api/jobs/{made[0]}/cancel")
    await api.client.delete(f"/api/jobs/{made[1]}")
    await api.job(made[2])
    counts = (await api.client.get("/api/jobs/counts", params={"user_id": "counter"})).json()["data"]
    assert counts == {"total": 2, "pending": 1, "processing": 0, "completed": 0, "failed": 1}
    refused(await api.client.get("/api/jobs/counts", params={"status": "failed"}), 400, "INVALID_REQUEST")


async def test_no_job_follows_one_that_is_unknown(api: Api) -> None:
    await api.job(await api.create(NOOP))
    page = (await api.client.get("/api/jobs/", params={"after": "job-unknown"})).json()["data"]
    assert page == {"jobs": []}


async def test_a_list_shows_the_same_batch_status_as_the_batch_itself(api: Api) -> None:
    created = (await api.client.post("/api/jobs/batch", json={"jobs": [NOOP, NOOP], "user_id": "rule"})).json()["data"]
    first, second = created["job_ids"]
    seen = []
    for job_id in (None, first, second):
        if job_id is not None:
            assert (await api.client.post(f"/api/jobs/{job_id}/cancel")).status_code == 200
        whole = (await api.client.get(f"/api/jobs/batch/{created['batch_id']}")).json()["data"]
        for status in ("pending", "processing", "completed", "failed"):
            query = {"user_id": "rule", "status": status}
            found = (await api.client.get("/api/jobs/batches", params=query)).json()["data"]
            assert found["total"] == (status == whole["status"])
        seen.append(whole["status"])
    assert seen == ["pending", "processing", "failed"]


async def test_a_member_erased_before_it_was_created_is_gone_and_still_counts(api: Api) -> None:
    created = (await api.client.post("/api/jobs/batch", json={"jobs": [NOOP, NOOP]})).json()["data"]
    gone = created["job_ids"][0]
    assert (await api.client.delete(f"/api/jobs/{gone}")).status_code == 200
    refused(await api.client.get(f"/api/jobs/{gone}"), 404, "NOT_FOUND")
    batch = (await api.client.get(f"/api/jobs/batch/{created['batch_id']}")).json()["data"]
    assert (batch["job_count"], batch["failed_count"], batch["pending_jobs"]) == (2, 1, 1)
    assert (await api.client.delete(f"/api/jobs/batch/{created['batch_id']}")).json()["data"]["jobs_deleted"] == 1
