"""Page 3: batches. Many jobs in one request, accepted or refused as a whole."""

from schemas.events import BatchCreated, BatchExpanded, JobCreated
from tests.support.stacks.system import System
from tests.support.waiting import wait_until


async def test_a_batch_counts_its_jobs(system: System) -> None:
    """A batch is completed when each of its jobs has ended."""
    jobs = [{"job_type": "noop", "parameters": {"behaviour": kind}} for kind in ("succeed", "succeed", "fail")]
    reply = await system.client.post("/api/jobs/batch", json={"batch_name": "Monday", "jobs": jobs})
    created = reply.json()["data"]["batch"]
    assert len(created["jobs"]) == 3
    await system.wait_for_all(job["job_id"] for job in created["jobs"])

    async def ended() -> bool:
        return (await system.batch(created["batch_id"]))["status"] == "completed"

    await wait_until(ended, 120, "the batch to be completed")
    batch = await system.batch(created["batch_id"])
    assert (batch["batch_name"], batch["job_count"]) == ("Monday", 3)
    assert (batch["completed_count"], batch["failed_count"]) == (2, 1)


async def test_a_batch_is_one_record_that_the_worker_expands(system: System) -> None:
    """One record is the atomic unit of the log: a batch is there as a whole before its first job is."""
    begin = await system.log_end()
    batch = await system.create_batch(3)
    members = [job["job_id"] for job in batch["jobs"]]
    await system.wait_for_all(members)
    await wait_until(lambda: system.count_facts(BatchExpanded, {batch["batch_id"]}, begin), 120, "the expansion")
    facts = await system.facts_of({batch["batch_id"]}, begin)
    assert [type(fact.data) for fact in facts] == [BatchCreated, BatchExpanded]
    assert await system.count_facts(JobCreated, set(members), begin) == 3


async def test_a_batch_with_a_wrong_job_creates_none(system: System) -> None:
    """The request is checked as a whole before anything is appended to the log."""
    jobs = [{"job_type": "noop", "parameters": {}}, {"job_type": "no-such-type", "parameters": {}}]
    reply = await system.client.post("/api/jobs/batch", json={"jobs": jobs})
    assert reply.status_code == 400
    assert reply.json()["status"] == "error"
