"""`GET /v1/jobs` over a real log, projector and Postgres: the keys of each job."""

from datetime import datetime

from schemas.documents import ResolvedDocument, ResolvedFolder
from schemas.events import JobProgress
from tests.support.seed import require_like
from tests.support.stacks.api import Api
from tests.support.stacks.devana_jobs import TYPES, append, complete, create, fail, ids, jobs, start

IN_PROGRESS = {  # the seed's first sample, its keys and the words of the contract
    "id": "cm4job789xyz123",
    "userId": "cm4user456abc",
    "targetId": "cm4doc123abc456",
    "type": "EXTRACTION",
    "status": "IN_PROGRESS",
    "progress": 65,
    "metadata": {"fileName": "rapport-2024.pdf", "fileSize": 2456789, "pageCount": 45},
    "startedAt": "2024-10-28T10:30:00.000Z",
    "createdAt": "2024-10-28T10:29:00.000Z",
    "updatedAt": "2024-10-28T10:35:00.000Z",
}
DONE = {  # the seed's second sample
    "id": "cm4job456def789",
    "userId": "cm4user456abc",
    "targetId": "cm4folder789xyz",
    "type": "EMBEDDING",
    "status": "DONE",
    "progress": 100,
    "metadata": {"folderName": "Documentation", "filesProcessed": 25, "totalChunks": 1250},
    "startedAt": "2024-10-28T09:00:00.000Z",
    "completedAt": "2024-10-28T09:15:00.000Z",
    "createdAt": "2024-10-28T08:59:00.000Z",
    "updatedAt": "2024-10-28T09:15:00.000Z",
}
WORDS = {"type", "status", "progress", "fileName", "fileSize", "pageCount", "folderName", "filesProcessed"} | {
    "totalChunks",
    "targetId",
    "userId",
}
ALSO_SHOWN = {"$.metadata": ("mimeType", "extractionMethod", "chunkSize", "model")}  # the seed's section on metadata


async def test_the_running_extraction_of_the_seed_has_every_key(api: Api) -> None:
    content = api.blobs.put("documents/cm4doc123abc456", b"%PDF").model_copy(update={"size": 2456789})
    resolved = ResolvedDocument(document_id="cm4doc123abc456", name="rapport-2024.pdf", content=content)
    job_id = await create(api, "extraction", {}, resolved, target_id="cm4doc123abc456", user_id="cm4user456abc")
    run = await start(api, job_id)
    await append(api, job_id, JobProgress(run=run, sequence=1, step="extracting_text", percent=65, page=30, pages=45))
    (job,) = await jobs(api, targetId="cm4doc123abc456", type="IN_PROGRESS", limit=10)
    require_like(job, IN_PROGRESS, ALSO_SHOWN, same=WORDS)
    assert job["id"] == job_id
    in_order = [datetime.fromisoformat(job[name]) for name in ("createdAt", "startedAt", "updatedAt")]
    assert in_order == sorted(in_order)
    for name in ("createdAt", "startedAt", "updatedAt"):
        assert len(job[name]) == len("2024-10-28T10:30:00.000Z")
        assert job[name].endswith("Z")


async def test_the_completed_embedding_of_the_seed_has_every_key(api: Api) -> None:
    resolved = ResolvedFolder(folder_id="cm4folder789xyz", name="Documentation", chunk_size=500)
    job_id = await create(api, "embedding", {}, resolved, target_id="cm4folder789xyz", user_id="cm4user456abc")
    counts = {"filesProcessed": 25, "totalChunks": 1250, "chunkSize": 500}
    await complete(api, job_id, method="a-model", counts=counts)
    (job,) = await jobs(api, targetId="cm4folder789xyz", type="EMBEDDING")
    require_like(job, DONE, ALSO_SHOWN, same=WORDS)
    assert job["metadata"] == {"folderName": "Documentation", "model": "a-model", **counts}


async def test_a_failed_job_has_its_error_also_in_its_metadata(api: Api, target: str) -> None:
    job_id = await create(api, parameters={"filename": "/a.pdf"}, target_id=target)
    await fail(api, job_id, "The file is not a PDF.")
    (job,) = await jobs(api, targetId=target, type="ERROR")
    assert (job["error"], job["metadata"]["error"]) == ("The file is not a PDF.", "The file is not a PDF.")
    assert {"startedAt", "completedAt"} <= job.keys()


async def test_secretary_jobs_are_listed_under_the_types_of_the_seed(api: Api, target: str) -> None:
    made = {await create(api, job_type, target_id=target): name for job_type, name in TYPES.items()}
    assert {job["id"]: job["type"] for job in await jobs(api, targetId=target)} == made
    for name in set(TYPES.values()):
        assert set(await ids(api, targetId=target, type=name)) == {key for key, kind in made.items() if kind == name}


async def test_noop_jobs_are_not_listed(api: Api, target: str) -> None:
    await create(api, "noop", target_id=target)
    assert await jobs(api, targetId=target) == []


async def test_the_default_target_of_a_job_is_its_batch_or_itself(api: Api) -> None:
    body = {
        "jobs": [
            {"job_type": "pdf", "parameters": {"filename": "upload://file-00000000-0000-4000-8000-000000000000/a.pdf"}}
        ]
        * 2
    }
    created = (await api.client.post("/api/jobs/batch", json=body)).json()["data"]
    listed = await jobs(api, targetId=created["batch_id"])
    assert {job["id"] for job in listed} == set(created["job_ids"])
    assert {(job["targetId"], job["type"], job["status"]) for job in listed} == {
        (created["batch_id"], "EXTRACTION", "PENDING")
    }
    alone = await create(api)
    assert [(job["id"], job["targetId"]) for job in await jobs(api, targetId=alone)] == [(alone, alone)]
    with_target = await create(api, target_id="elsewhere")
    assert await ids(api, targetId=with_target) == []


async def test_the_default_user_is_the_owner_of_the_key(api: Api, target: str) -> None:
    await create(api, target_id=target)
    await create(api, target_id=target, user_id="a-user")
    assert {job["userId"] for job in await jobs(api, targetId=target)} == {"local", "a-user"}
