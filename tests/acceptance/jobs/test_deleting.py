"""Deleting jobs and batches (docs/contract/secretary.md#lists). Spoken by HTTP alone."""

from tests.support.clients.jobs import listed, refused, stranger
from tests.support.stacks.system import System


async def test_a_deleted_job_is_not_found_and_its_batch_keeps_its_counts(system: System) -> None:
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


async def test_a_deleted_batch_is_not_found_nor_are_its_jobs(system: System) -> None:
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


async def test_jobs_of_another_owner_cannot_be_deleted_or_restarted(system: System) -> None:
    job_id = await system.create()
    batch_id = (await system.create_batch(1))["batch_id"]
    await system.wait_for_end(job_id)
    async with await stranger(system) as client:
        refused(await client.delete(f"/api/jobs/{job_id}"), 404, "NOT_FOUND")
        refused(await client.post(f"/api/jobs/{job_id}/restart"), 404, "NOT_FOUND")
        refused(await client.delete(f"/api/jobs/batch/{batch_id}"), 404, "NOT_FOUND")
    assert (await system.job(job_id))["status"] == "completed"
    assert (await system.batch(batch_id))["job_count"] == 1
