"""The Secretary job API as its document shows it (contract 2a, 3, 5, 6, 7, 14): each request and answer, key by key.

These tests speak HTTP alone and could be pointed at another server.
"""

import re
from typing import Any

import httpx
import pytest

from tests.support.documents import pdf
from tests.support.system import System, is_final

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


def success(reply: httpx.Response) -> dict[str, Any]:
    """The data of an answer in the success envelope, which has two keys."""
    assert reply.status_code == 200, reply.text
    assert set(reply.json()) == {"status", "data"}
    assert reply.json()["status"] == "success"
    return dict(reply.json()["data"])


async def test_post_jobs_answers_the_created_job(system: System) -> None:
    path = str(pdf(system.files / "created.pdf"))
    body = {
        "job_type": "pdf",
        "parameters": {"filename": path, "extraction_method": "native", "use_cache": True},
        "user_id": "optional-user-id",
    }
    reply = await system.client.post("/api/jobs/", json=body)
    data = success(reply)
    assert set(data) == {"job_id", "job"}
    assert {"job_id", "job_type", "status", "created_at", "parameters"} <= set(data["job"])
    assert data["job"]["job_id"] == data["job_id"]
    assert data["job_id"].startswith("job-")
    assert data["job"]["job_type"] == "pdf"
    assert data["job"]["status"] == "pending"
    assert TIME.match(data["job"]["created_at"])
    assert data["job"]["parameters"] == body["parameters"]
    assert re.match(r"^\d+:\d+$", reply.headers["Piperoll-Position"])


@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs/"])
async def test_post_jobs_works_with_and_without_the_slash_and_never_redirects(system: System, path: str) -> None:
    reply = await system.client.post(path, json={"job_type": "noop", "parameters": {}}, follow_redirects=False)
    success(reply)


async def test_get_job_shows_a_completed_pdf_as_documented(system: System) -> None:
    path = str(pdf(system.files / "completed.pdf", pages=4))
    job_id = await system.create("pdf", filename=path)
    await system.wait_for_end(job_id)
    job = success(await system.client.get(f"/api/jobs/{job_id}"))
    assert {"job_id", "job_type", "status", "created_at", "updated_at", "progress", "results", "logs"} <= set(job)
    assert job["status"] == "completed"
    assert TIME.match(job["created_at"])
    assert TIME.match(job["updated_at"])
    assert job["progress"] == {"step": "completed", "percent": 100, "message": "Processing completed"}
    assert {"structured_data", "assets", "target_dir"} <= set(job["results"])
    data = job["results"]["structured_data"]
    assert {"extracted_text", "metadata"} <= set(data)
    assert data["extracted_text"].startswith("--- Seite 1 ---")
    assert "This is page 4." in data["extracted_text"]
    assert data["metadata"]["page_count"] == 4
    assert [entry["page"] for entry in data["metadata"]["text_contents"]] == [1, 2, 3, 4]
    assert all(entry["text"] == entry["content"] for entry in data["metadata"]["text_contents"])
    assert job["results"]["assets"] == []
    assert job["logs"][0]["message"] == "Job started"
    assert all(set(entry) == {"timestamp", "level", "message"} for entry in job["logs"])
    assert "error" not in job


async def test_include_images_lists_one_asset_a_page(system: System) -> None:
    path = str(pdf(system.files / "images.pdf", pages=2))
    job_id = await system.create("pdf", filename=path, include_images=True)
    job = await system.wait_for_end(job_id)
    assets = job["results"]["assets"]
    assert [asset.rsplit("/", 1)[-1] for asset in assets] == ["page_001.jpg", "page_002.jpg"]
    assert all(asset.startswith(job["results"]["target_dir"]) for asset in assets)


async def test_a_page_range_extracts_those_pages_only(system: System) -> None:
    path = str(pdf(system.files / "range.pdf", pages=6))
    job_id = await system.create("pdf", filename=path, page_start=2, page_end=3)
    job = await system.wait_for_end(job_id)
    text = job["results"]["structured_data"]["extracted_text"]
    assert "--- Seite 2 ---" in text
    assert "This is page 3." in text
    assert "page 1." not in text
    assert "page 4." not in text


async def test_post_batch_answers_the_created_batch(system: System) -> None:
    first, second = (str(pdf(system.files / name)) for name in ("file1.pdf", "file2.pdf"))
    body = {
        "batch_name": "My Batch",
        "jobs": [
            {"job_type": "pdf", "parameters": {"filename": first}},
            {"job_type": "pdf", "parameters": {"filename": second}},
        ],
    }
    data = success(await system.client.post("/api/jobs/batch", json=body))
    batch = data["batch"]
    assert {"batch_id", "batch"} <= set(data)
    assert {"batch_id", "batch_name", "status", "job_count", "jobs"} <= set(batch)
    assert batch["batch_id"] == data["batch_id"]
    assert (batch["batch_name"], batch["status"], batch["job_count"]) == ("My Batch", "pending", 2)
    assert [job["parameters"]["filename"] for job in batch["jobs"]] == [first, second]


async def test_get_batch_shows_counts_and_members_as_documented(system: System) -> None:
    created = await system.create_batch(2)
    for member in created["jobs"]:
        await system.wait_for_end(member["job_id"])
    batch = success(await system.client.get(f"/api/jobs/batch/{created['batch_id']}"))
    assert batch["batch_id"] == created["batch_id"]
    assert batch["batch_name"] == "Trial"
    assert batch["status"] == "completed"
    assert (batch["job_count"], batch["completed_count"], batch["failed_count"]) == (2, 2, 0)
    assert (batch["total_jobs"], batch["completed_jobs"], batch["failed_jobs"]) == (2, 2, 0)
    assert batch["jobs"] == [{"job_id": job["job_id"], "status": "completed"} for job in created["jobs"]]


async def test_a_new_batch_and_each_member_can_be_read_at_once(system: System) -> None:
    created = await system.create_batch(5, sleep_s=0.5)
    assert (await system.batch(created["batch_id"]))["job_count"] == 5
    for member in created["jobs"]:
        assert (await system.job(member["job_id"]))["status"] in ("pending", "processing", "completed")


async def test_completion_and_progress_hooks_carry_what_the_document_shows(system: System) -> None:
    path = str(pdf(system.files / "hooked.pdf"))
    webhook = {"url": system.receiver.url("/documented"), "token": "webhook_auth_token", "jobId": "client_job_id"}
    job_id = await system.create("pdf", filename=path, webhook=webhook)
    hooks = (await system.wait_for_final_hooks([job_id]))[job_id]
    final = hooks[-1]
    assert (final["phase"], final["message"]) == ("completed", "Processing completed")
    assert {"extracted_text", "metadata"} <= set(final["data"])
    assert "This is page 1." in final["data"]["extracted_text"]
    assert final["job"]["id"] == "client_job_id"
    progress = [hook for hook in hooks if not is_final(hook)]
    assert progress, "one progress hook is always attempted"
    assert all(hook["phase"] == "processing" and isinstance(hook["progress"], int) for hook in progress)
    assert all(hook["process"]["id"] == job_id for hook in hooks)
    sent = [request for request in system.receiver.received if request.json["process"]["id"] == job_id]
    for request in sent:
        assert request.headers["Authorization"] == "Bearer webhook_auth_token"
        assert request.headers["X-Callback-Token"] == "webhook_auth_token"
        assert request.headers["Content-Type"] == "application/json"
        assert b"webhook_auth_token" not in request.body


async def test_a_failing_job_tells_its_receiver_why(system: System) -> None:
    webhook = {"url": system.receiver.url("/failing")}
    job_id = await system.create("pdf", filename=str(system.files / "absent.pdf"), webhook=webhook)
    final = (await system.wait_for_final_hooks([job_id]))[job_id][-1]
    assert final["phase"] == "error"
    assert final["error"]["code"] == "FILE_NOT_FOUND"
    assert final["data"] is None
    job = await system.job(job_id)
    assert job["status"] == "failed"
    assert job["error"]["code"] == "FILE_NOT_FOUND"
    assert job["progress"]["step"] == "error"
    assert "results" not in job


async def test_the_webhook_token_is_never_shown_again(system: System) -> None:
    webhook = {"url": system.receiver.url("/masked"), "token": "very-secret-token"}
    reply = await system.client.post("/api/jobs/", json={"job_type": "noop", "parameters": {"webhook": webhook}})
    job_id = success(reply)["job_id"]
    await system.wait_for_end(job_id)
    shown = await system.client.get(f"/api/jobs/{job_id}")
    for answer in (reply, shown):
        assert "very-secret-token" not in answer.text
        assert '"***"' in answer.text


async def test_an_uploaded_file_can_be_processed_and_belongs_to_its_owner(system: System) -> None:
    path = pdf(system.files / "to-upload.pdf", pages=2)
    reply = await system.client.post(
        "/api/files", files={"file": ("my file.pdf", path.read_bytes(), "application/pdf")}
    )
    data = success(reply)
    assert {"file_id", "filename", "size", "sha256", "media_type"} <= set(data)
    assert data["filename"].startswith("upload://")
    assert data["size"] == path.stat().st_size
    job = await system.wait_for_end(await system.create("pdf", filename=data["filename"]))
    assert job["status"] == "completed", job
    assert job["results"]["structured_data"]["metadata"]["page_count"] == 2


async def test_cancelling_ends_a_running_job_within_seconds(system: System) -> None:
    job_id = await system.create(sleep_s=60, steps=600)
    await system.wait_for_status(job_id, "processing")
    job = success(await system.client.post(f"/api/jobs/{job_id}/cancel", json={"reason": "no longer needed"}))
    assert job["status"] == "failed"
    assert job["error"]["code"] == "CANCELLED"
    again = await system.client.post(f"/api/jobs/{job_id}/cancel")
    assert again.status_code == 409
    # The slot is free again: two more long jobs than there are slots would otherwise never end.
    assert (await system.wait_for_end(await system.create()))["status"] == "completed"


async def test_a_long_poll_answers_at_the_change_of_status(system: System) -> None:
    job_id = await system.create(sleep_s=1)
    await system.wait_for_status(job_id, "processing")
    job = success(await system.client.get(f"/api/jobs/{job_id}", params={"wait": 30}))
    assert job["status"] == "completed"


async def test_the_same_idempotency_key_and_body_create_one_job(system: System) -> None:
    body = {"job_type": "noop", "parameters": {"priority": 7}}
    headers = {"Idempotency-Key": f"once-{system.stack.api_url}"}
    first = await system.post("/api/jobs/", body, **headers)
    second = await system.post("/api/jobs/", body, **headers)
    assert first["job_id"] == second["job_id"]
    other = await system.client.post("/api/jobs/", json={**body, "user_id": "somebody"}, headers=headers)
    assert other.status_code == 422
    assert other.json()["error"]["code"] == "IDEMPOTENCY_CONFLICT"


async def test_health_needs_no_key(system: System) -> None:
    async with httpx.AsyncClient(base_url=system.stack.api_url) as stranger:
        for path in ("/api/health/", "/api/health/live", "/api/health/ready"):
            assert (await stranger.get(path)).status_code == 200, path
