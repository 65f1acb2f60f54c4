"""Requests about documents that were removed before, or while the request is served. Postgres is away."""

from pathlib import Path

from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs
from schemas.events import DocumentAdded, JobCreated
from schemas.topics import DOCUMENT_EVENTS
from tests.support.stacks.memory_api import PARTITIONS, MemoryApi, memory_api

FILES = {"file": ("salary of Smith.txt", b"confidential")}
REPEATABLE = {"Idempotency-Key": "key-1"}


async def documents_in(blobs: AsyncBlobs) -> set[str]:
    return {uri.split("/")[1] for uri in await blobs.names(documents.FOLDER)}


async def added(api: MemoryApi) -> int:
    ends = await api.log.end_offsets(DOCUMENT_EVENTS)
    facts = await api.log.read_range(DOCUMENT_EVENTS, dict.fromkeys(range(PARTITIONS), 0), ends)
    return sum(isinstance(record.fact().data, DocumentAdded) for record in facts)


async def test_a_repeated_upload_of_a_removed_document_stores_nothing(tmp_path: Path) -> None:
    async with memory_api(tmp_path) as api:
        first = await api.client.post("/v1/documents?wait=0", files=FILES, headers=REPEATABLE)
        assert first.status_code == 202
        (document_id,) = await documents_in(api.blobs)
        await documents.delete_content(api.blobs, document_id)  # as the removal does
        jobs = [fact.subject for fact in await api.facts() if isinstance(fact.data, JobCreated)]
        for job_id in jobs:
            await api.blobs.delete_folder(job_id)
        assert await documents.jobs_about(api.blobs, document_id) == jobs, "the removal erases the job that reads it"
        again = await api.client.post("/v1/documents?wait=0", files=FILES, headers=REPEATABLE)
        assert (again.status_code, again.json()["error"]["code"]) == (400, "INVALID_PARAMETERS")
        names = [entry.uri async for page in api.blobs.pages() for entry in page]
        contents = b" ".join([await api.blobs.get(name) for name in names])
        assert b"confidential" not in contents
        assert b"salary of Smith" not in contents
        assert await added(api) == 1


async def test_another_upload_of_the_same_file_is_another_document(tmp_path: Path) -> None:
    async with memory_api(tmp_path) as api:
        await api.client.post("/v1/documents?wait=0", files=FILES, headers=REPEATABLE)
        (removed,) = await documents_in(api.blobs)
        await documents.delete_content(api.blobs, removed)
        reply = await api.client.post("/v1/documents?wait=0", files=FILES, headers={"Idempotency-Key": "key-2"})
        assert reply.status_code == 202
        assert await documents_in(api.blobs) == {reply.json()["data"]["documentId"]} != {removed}
