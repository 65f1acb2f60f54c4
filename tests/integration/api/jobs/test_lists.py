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
