"""Jobs whose `target_id` is a document: noted for its removal before they are created. Postgres is away."""

from pathlib import Path
from uuid import UUID

import pytest
from pydantic_core import from_json

from piperoll.store import document_paths as documents
from piperoll.store import targets
from schemas.events import BatchCreated, JobCreated
from tests.support.stacks.memory_api import MemoryApi, memory_api

TARGET = f"doc-{UUID(int=1)}"
JOB = {"job_type": "pdf", "parameters": {"url": "https://example.com/a.pdf", "target_id": TARGET}}


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
