"""Page 6: erasure. The log is kept for ever and holds no content: content is in the blob store and can be deleted."""

from uuid import uuid4

from schemas.events import JobErased
from tests.support.stacks.system import System
from tests.support.stacks.traces import found_in, until_gone


async def test_the_log_holds_claims_and_no_content(system: System) -> None:
    """A claim is the name, the size and the hash of a blob."""
    secret = f"secret-{uuid4().hex}"
    job_id = await system.create(error_code=secret)
    await system.wait_for_end(job_id)
    reply = await system.client.get(f"/api/jobs/{job_id}/events")
    assert secret not in reply.text
    created = reply.json()["data"]["events"][0]["data"]
    assert created["parameters"].keys() >= {"uri", "sha256", "size"}
    places = await found_in(system, secret)
    assert places, "the content is in a blob"
    assert not any("piperoll." in place for place in places), "no topic holds it"


async def test_an_erased_job_leaves_no_content_behind(system: System) -> None:
    """DELETE appends `JobErased`; the worker then deletes what the job was given and what it made."""
    secret = f"secret-{uuid4().hex}"
    begin = await system.log_end()
    job_id = await system.create(error_code=secret)
    await system.wait_for_end(job_id)
    reply = await system.client.delete(f"/api/jobs/{job_id}")
    assert reply.status_code == 200
    await until_gone(system, secret)
    assert (await system.client.get(f"/api/jobs/{job_id}")).status_code == 404
    assert await system.count_facts(JobErased, {job_id}, begin) == 1, "the fact of the erasure stays"
