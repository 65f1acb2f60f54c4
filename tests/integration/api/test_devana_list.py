"""`GET /v1/jobs` over a real log, projector and Postgres; the tests append the facts of the worker."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from piperoll.clock import utc_now
from schemas.devana import STATUSES, TYPE_NAMES
from schemas.documents import Resolved, ResolvedDocument, ResolvedFolder, parameters_document
from schemas.envelope import Fact
from schemas.events import Event, JobCompleted, JobCreated, JobFailed, JobProgress, JobStarted
from schemas.ids import draw_job_id, draw_run, event_id
from schemas.job_types.registry import OWN
from schemas.topics import JOB_EVENTS
from tests.support.seed import require_like
from tests.support.stacks.api import Api, refused, serving, without_projector

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

TYPES = {job_type: name for name in TYPE_NAMES for job_type in OWN.devana(name)}


@pytest.fixture(scope="module")
async def api(environment: dict[str, str]) -> AsyncIterator[Api]:
    async with serving({**environment, "PIPEROLL_RATE_LIMIT": "10000"}) as serving_api:
        yield serving_api


@pytest.fixture
def target() -> str:
    """The target of the jobs of one test: all tests of the module share an owner."""
    return f"target-{uuid4().hex[:8]}"


async def append(api: Api, job_id: str, *events: Event, owner: str = "local", age_s: float = 0.0) -> None:
    for event in events:
        time = utc_now() - timedelta(seconds=age_s)
        await api.appender.append(
            JOB_EVENTS, Fact(event_id(draw_run(), type(event).__name__), job_id, owner, time, "tests", event)
        )


async def create(
    api: Api,
    job_type: str = "pdf",
    parameters: dict[str, Any] | None = None,
    resolved: Resolved | None = None,
    owner: str = "local",
    age_s: float = 0.0,
    **created: Any,
) -> str:
    """A job of any type, as the API would create it."""
    job_id = draw_job_id()
    document = parameters_document(job_type, parameters or {}, resolved)
    claim = api.blobs.put(f"{job_id}/in", json.dumps(document).encode())
    event = JobCreated(job_type=job_type, parameters=claim, body_sha256="0" * 64, **created)
    await append(api, job_id, event, owner=owner, age_s=age_s)
    return job_id


async def start(api: Api, job_id: str) -> str:
    run = draw_run()
    await append(api, job_id, JobStarted(number=1, run=run, worker="w"))
    return run


async def complete(api: Api, job_id: str, **numbers: Any) -> None:
    run = await start(api, job_id)
    result = api.blobs.put(f"{job_id}/{run}", b"{}")
    await append(api, job_id, JobCompleted(run=run, result=result, **numbers))


async def fail(api: Api, job_id: str, message: str) -> None:
    run = await start(api, job_id)
    details = api.blobs.put(f"{job_id}/{run}", json.dumps({"code": "INVALID_PDF", "message": message}).encode())
    await append(api, job_id, JobFailed(run=run, error_code="INVALID_PDF", details=details))


async def jobs(api: Api, **query: Any) -> list[dict[str, Any]]:
    reply = await api.client.get("/v1/jobs", params=query)
    assert reply.status_code == 200, reply.text
    assert reply.json().keys() == {"success", "data"}
    assert reply.json()["success"] is True
    return list(reply.json()["data"])


async def ids(api: Api, **query: Any) -> list[str]:
    return [job["id"] for job in await jobs(api, **query)]


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


async def test_filters_combine_and_each_status_selects_its_jobs(api: Api, target: str) -> None:
    pending = await create(api, "pdf", target_id=target)
    running = await create(api, "transformer", target_id=target)
    await start(api, running)
    done, failed = await create(api, "session", target_id=target), await create(api, "pdf", target_id=target)
    await complete(api, done)
    await fail(api, failed, "No.")
    for status, job_id in (("PENDING", pending), ("IN_PROGRESS", running), ("DONE", done), ("ERROR", failed)):
        assert await ids(api, targetId=target, type=status) == [job_id]
        assert await ids(api, targetId=target, status=status) == [job_id]
    assert await ids(api, targetId=target, type="EXTRACTION", status="ERROR") == [failed]
    assert await ids(api, targetId=target, type="GENERATION", status="ERROR") == []
    assert set(await ids(api, targetId=target)) == {pending, running, done, failed}


async def test_a_cancelled_job_is_not_listed(api: Api, target: str) -> None:
    job_id = await create(api, target_id=target)
    assert await ids(api, targetId=target) == [job_id]
    assert (await api.client.post(f"/api/jobs/{job_id}/cancel")).status_code == 200
    for query in ({}, {"type": "KILLED"}, {"status": "KILLED"}, {"type": "ERROR"}):
        assert await ids(api, targetId=target, **query) == []


async def test_an_erased_job_is_not_listed(api: Api, target: str) -> None:
    job_id = await create(api, target_id=target)
    await complete(api, job_id)
    assert await ids(api, targetId=target) == [job_id]
    assert (await api.client.delete(f"/api/jobs/{job_id}")).status_code == 200
    assert await ids(api, targetId=target) == []


async def test_a_job_is_listed_for_24_hours_and_can_still_be_read_after_them(api: Api, target: str) -> None:
    day = 24 * 3600.0
    old = await create(api, target_id=target, age_s=day + 60)
    young = await create(api, target_id=target, age_s=day - 60)
    assert await ids(api, targetId=target) == [young]
    assert (await api.job(old))["status"] == "pending"


async def test_jobs_of_other_owners_are_not_listed(api: Api, target: str) -> None:
    theirs = await create(api, target_id=target, owner="another")
    mine = await create(api, target_id=target)
    assert await ids(api, targetId=target) == [mine]
    assert await ids(api, targetId=theirs) == []


async def test_pages_are_newest_first_and_continue_each_other(api: Api, target: str) -> None:
    ages = [50.0, 20.0, 40.0, 10.0, 30.0]
    types = ["pdf", "session", "extraction", "transformer", "pdf"]
    by_age = {age: await create(api, kind, target_id=target, age_s=age) for age, kind in zip(ages, types, strict=True)}
    newest_first = [by_age[age] for age in sorted(by_age)]
    assert await ids(api, targetId=target) == newest_first
    assert await ids(api, targetId=target, limit=2) == newest_first[:2]
    assert await ids(api, targetId=target, limit=2, offset=2) == newest_first[2:4]
    assert await ids(api, targetId=target, limit=2, offset=4) == newest_first[4:]
    assert await ids(api, targetId=target, offset=1000) == []


async def test_the_default_page_has_25_jobs_and_the_largest_100(api: Api, target: str) -> None:
    for _ in range(103):
        await create(api, target_id=target)
    assert [len(await jobs(api, targetId=target, **query)) for query in ({}, {"limit": 500})] == [25, 100]
    assert len(await jobs(api, limit=100, offset=3, targetId=target)) == 100


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


async def test_polling_reads_no_blob_again(api: Api, target: str) -> None:
    job_id = await create(api, parameters={"filename": "/a/report.pdf"}, target_id=target)
    await fail(api, job_id, "It is broken.")
    first = await jobs(api, targetId=target)
    api.blobs.delete_folder(job_id)  # what is remembered needs no blob
    assert await jobs(api, targetId=target) == first
    assert first[0]["metadata"]["fileName"] == "report.pdf"


async def test_missing_parameters_omit_the_metadata(api: Api, target: str) -> None:
    job_id = await create(api, "generation", {"template": "MeetingMinutes"}, target_id=target)
    api.blobs.delete_folder(job_id)
    (job,) = await jobs(api, targetId=target)
    assert "metadata" not in job


async def test_a_list_waits_for_recent_writes_for_a_limited_time(api: Api, target: str) -> None:
    job_id = await create(api, target_id=target)
    assert await ids(api, targetId=target) == [job_id]
    async with without_projector(api):
        await create(api, target_id=target)
        assert await ids(api, targetId=target) == [job_id]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "-5"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"offset": "1001"}, "offset"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "x"}, "offset"),
        ({"type": "UNKNOWN"}, "type"),
        ({"status": "EXTRACTION"}, "status"),
    ],
)
async def test_bad_input_is_refused_in_the_envelope_of_this_api(api: Api, query: dict[str, str], field: str) -> None:
    reply = await api.client.get("/v1/jobs", params=query)
    refused(reply, 400, "INVALID_PARAMETERS")
    assert reply.json()["success"] is False
    assert reply.json()["error"]["details"]["fields"][0]["field"] == field
    if field == "type":
        assert {*TYPES.values(), *STATUSES.values()} == set(reply.json()["error"]["details"]["supported"])


async def test_the_folded_state_keeps_what_the_metadata_needs(api: Api, target: str, pool: asyncpg.Pool) -> None:
    job_id = await create(api, "sync", target_id=target)
    await complete(api, job_id, method="walk", counts={"filesAdded": 2}, bytes_in=7)
    assert await ids(api, targetId=target, type="DONE") == [job_id]
    state = json.loads(await pool.fetchval("SELECT state FROM read_v1.jobs WHERE job_id = $1", job_id))
    assert (state["method"], state["counts"], state["bytes_in"]) == ("walk", {"filesAdded": 2}, 7)
