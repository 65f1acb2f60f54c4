"""Jobs whose `target_id` is a document: noted for its removal before they are created. Postgres is away."""

from pathlib import Path
from typing import cast
from uuid import UUID

import pytest
from pydantic_core import from_json

from piperoll.clock import utc_now
from piperoll.seal import Seal
from piperoll.store import document_paths as documents
from piperoll.store import targets
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.events import BatchCreated, JobCreated
from schemas.topics import JOB_EVENTS
from services.api.http.caller import Caller
from services.api.jobs.commands import Commands
from services.api.jobs.named_documents import Resolver
from services.api.log.facts import FactLog
from tests.support.histories.jobs import claim
from tests.support.memory_log import MemoryLog
from tests.support.stacks.memory_api import MemoryApi, memory_api

TARGET = f"doc-{UUID(int=1)}"
JOB = {"job_type": "pdf", "parameters": {"url": "https://example.com/a.pdf", "target_id": TARGET}}

CALLER = Caller("acme", "key-1", frozenset())


async def created(api: MemoryApi) -> JobCreated:
    (data,) = [fact.data for fact in await api.facts() if isinstance(fact.data, JobCreated)]
    return data


@pytest.mark.parametrize("removed", [False, True])
async def test_a_job_is_noted_unless_its_target_was_removed_before(tmp_path: Path, removed: bool) -> None:
    async with memory_api(tmp_path) as api:
        if removed:
            await documents.delete_content(api.blobs, TARGET)
        reply = await api.client.post("/api/jobs/", json=JOB)
        assert reply.status_code == 200
        job_id = reply.json()["data"]["job_id"]
        assert await targets.jobs_with(api.blobs, "local", TARGET) == ([] if removed else [job_id])
        claim = (await created(api)).parameters
        assert claim.uri.startswith(f"{job_id}/in/"), "the removal finds it without the read model"


@pytest.mark.parametrize("removed_first", [False, True])
async def test_a_repeated_request_leaves_the_marker_of_the_first_one(tmp_path: Path, removed_first: bool) -> None:
    """The removal may not have seen it yet."""
    async with memory_api(tmp_path) as api:
        for removed in (removed_first, True):
            if removed:
                await documents.delete_content(api.blobs, TARGET)
            reply = await api.client.post("/api/jobs/", json=JOB, headers={"Idempotency-Key": "key-1"})
            assert reply.status_code == 200
        job_id = reply.json()["data"]["job_id"]
        assert await targets.jobs_with(api.blobs, "local", TARGET) == ([] if removed_first else [job_id])


@pytest.mark.parametrize("removed", [False, True])
async def test_the_members_of_a_batch_are_erased_with_a_target_that_exists(tmp_path: Path, removed: bool) -> None:
    async with memory_api(tmp_path) as api:
        if removed:
            await documents.delete_content(api.blobs, TARGET)
        other = {**JOB, "parameters": {**JOB["parameters"], "target_id": "mine"}}  # type: ignore[dict-item]
        assert (await api.client.post("/api/jobs/batch", json={"jobs": [JOB, other]})).status_code == 200
        (batch,) = [fact.data for fact in await api.facts() if isinstance(fact.data, BatchCreated)]
        specs = from_json(await api.blobs.get(batch.specs.uri))
        assert [spec.get(targets.ERASED_WITH) for spec in specs] == [None if removed else TARGET, None]


async def test_a_removal_takes_the_markers_of_the_jobs_that_it_erases(tmp_path: Path) -> None:
    """So the process manager of removal does not erase them a second time."""
    log, blobs = MemoryLog(), AsyncBlobs(Blobs("memory:///"))
    commands = Commands(FactLog(log, JOB_EVENTS, utc_now, 1.0), blobs, Seal({"k1": b"0" * 32}), cast(Resolver, None))
    for job_id in ("job-1", "job-unseen"):
        await targets.note(blobs, CALLER.owner, job_id, TARGET)
    await documents.note_job(blobs, TARGET, "job-2")
    positions = await commands.erase_about(TARGET, dict.fromkeys(("job-1", "job-2"), claim("p")), CALLER)
    begin, end = await log.begin_offsets(JOB_EVENTS), await log.end_offsets(JOB_EVENTS)
    facts = [record.fact() for record in await log.read_range(JOB_EVENTS, begin, end)]
    assert {fact.subject for fact in facts} == {"job-1", "job-2"}
    assert len(facts) == len(positions) == 2
    assert await targets.jobs_with(blobs, CALLER.owner, TARGET) == ["job-unseen"]
    assert await documents.jobs_about(blobs, TARGET) == []
    blobs.close()
