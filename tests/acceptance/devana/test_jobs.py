"""`GET /v1/jobs` over the whole system: what jobs of real workers look like to its clients.
See docs/contract/devana.md#list-of-jobs, #mapping."""

import re
from typing import Any
from uuid import uuid4

import pytest

from tests.support.files.pdf import pdf
from tests.support.servers.website import Website
from tests.support.stacks.system import System

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ALWAYS = {"id", "userId", "targetId", "type", "status", "createdAt", "updatedAt"}
ENDED = {*ALWAYS, "progress", "metadata", "startedAt", "completedAt"}


async def jobs(system: System, key: str | None = None, **query: Any) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    reply = await system.client.get("/v1/jobs", params=query, headers=headers)
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json().keys() == {"success", "data"}
    assert reply.json()["success"] is True
    return list(reply.json()["data"])


async def ended(system: System, job_id: str, target: str) -> dict[str, Any]:
    """The job as the list shows it, once it has ended."""
    await system.wait_for_end(job_id)
    (job,) = await jobs(system, targetId=target)
    for name in ("createdAt", "updatedAt", "startedAt", "completedAt"):
        assert DATE.fullmatch(job[name]), name
    return job


@pytest.fixture
def target() -> str:
    return f"target-{uuid4().hex}"


async def test_a_pdf_job_is_an_extraction_with_its_metadata(system: System, target: str) -> None:
    path = pdf(system.files / f"{target}.pdf", pages=4)
    job_id = await system.create("pdf", filename=str(path), extraction_method="native", target_id=target)
    job = await ended(system, job_id, target)
    assert job.keys() == ENDED
    assert (job["id"], job["type"], job["status"], job["progress"]) == (job_id, "EXTRACTION", "DONE", 100)
    assert job["metadata"] == {
        "fileName": f"{target}.pdf",
        "fileSize": path.stat().st_size,
        "mimeType": "application/pdf",
        "pageCount": 4,
        "extractionMethod": "native",
    }


async def test_a_failed_extraction_has_its_error_twice(system: System, target: str) -> None:
    path = system.files / f"{target}.pdf"
    path.write_bytes(b"no PDF")
    job_id = await system.create("pdf", filename=str(path), target_id=target)
    job = await ended(system, job_id, target)
    assert job.keys() == {*ENDED, "error"}
    assert job["status"] == "ERROR"
    assert job["error"] == job["metadata"]["error"] == (await system.job(job_id))["error"]["message"]
    assert [one["id"] for one in await jobs(system, targetId=target, type="ERROR")] == [job_id]
    assert await jobs(system, targetId=target, type="DONE") == []


async def test_a_transformer_job_is_a_generation(system: System, target: str) -> None:
    job_id = await system.create("transformer", text="We met on Monday.", template="MeetingMinutes", target_id=target)
    job = await ended(system, job_id, target)
    assert (job["type"], job["metadata"]["template"]) == ("GENERATION", "MeetingMinutes")


async def test_a_session_job_is_an_import(system: System, site: Website, target: str) -> None:
    url = site.page(
        f"/devana/{target}", "On living soil", "A spoon of soil holds more beings than people live on earth."
    )
    given = {"event": "Soil", "session": "On living soil", "track": "Main", "url": url, "filename": "soil.md"}
    job_id = await system.create("session", **given, target_id=target)
    job = await ended(system, job_id, target)
    assert (job["type"], job["status"]) == ("IMPORT", "DONE"), job
    assert (job["metadata"]["fileName"], job["metadata"]["source"]) == ("soil.md", url)


async def test_a_job_is_listed_as_pending_and_in_progress_and_not_after_its_cancellation(
    system: System, target: str
) -> None:
    busy = [await system.create(sleep_s=3600) for _ in range(2)]
    for job_id in busy:
        await system.wait_for_status(job_id, "processing")
    path = pdf(system.files / f"{target}.pdf", pages=1)
    job_id = await system.create("pdf", filename=str(path), target_id=target)
    (job,) = await jobs(system, targetId=target, type="PENDING")
    assert job.keys() == {*ALWAYS, "metadata"}
    assert job["metadata"]["fileName"] == f"{target}.pdf"
    assert (await system.client.post(f"/api/jobs/{job_id}/cancel")).status_code == 200
    assert await jobs(system, targetId=target) == []
    assert (await system.job(job_id))["error"]["code"] == "CANCELLED"
    for job_id in busy:
        await system.client.post(f"/api/jobs/{job_id}/cancel")


async def test_each_key_lists_the_jobs_of_its_owner_only(system: System, target: str) -> None:
    theirs, mine = await system.create_key(f"owner-{uuid4().hex[:8]}"), f"{target}-mine"
    path = pdf(system.files / f"{target}.pdf", pages=1)
    body = {"job_type": "pdf", "parameters": {"filename": str(path), "target_id": mine}, "user_id": "another"}
    job_id = (await system.post("/api/jobs/", body, Authorization=f"Bearer {theirs}"))["job_id"]
    (job,) = await jobs(system, theirs)
    assert (job["id"], job["userId"]) == (job_id, "another")
    assert await jobs(system, targetId=mine) == []


async def test_an_unknown_key_is_refused_in_the_envelope_of_this_api(system: System) -> None:
    reply = await system.client.get("/v1/jobs", headers={"Authorization": "Bearer none"})
    assert reply.status_code == 401
    assert reply.json() == {
        "success": False,
        "error": {"code": "UNAUTHORIZED", "message": "Invalid or missing service token", "details": {}},
    }


async def test_every_answer_has_the_remaining_number_of_requests(system: System) -> None:
    limit = system.settings.rate_limit
    headers = {"Authorization": f"Bearer {await system.create_key(f'owner-{uuid4().hex[:8]}')}"}
    for used, query in enumerate(("", "?limit=0", "?type=NONE"), start=1):
        reply = await system.client.get(f"/v1/jobs{query}", headers=headers)
        assert reply.headers["RateLimit-Limit"] == str(limit)
        assert reply.headers["RateLimit-Remaining"] == str(limit - used)
        assert 1 <= int(reply.headers["RateLimit-Reset"]) <= 60
