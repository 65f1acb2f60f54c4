"""What the Secretary job API does beyond its document: that one is checked in tests/contract.
See docs/contract/secretary.md#conventions, #pdf-parameters and docs/contract/additions.md#history."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.files.pdf import held_pdf, pdf
from tests.support.servers.website import Website
from tests.support.stacks.system import System


def success(reply: httpx.Response) -> dict[str, Any]:
    """The data of an answer in the success envelope, which has two keys."""
    assert reply.status_code == 200, reply.text
    assert set(reply.json()) == {"status", "data"}
    assert reply.json()["status"] == "success"
    return dict(reply.json()["data"])


@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs/"])
async def test_post_jobs_works_with_and_without_the_slash_and_never_redirects(system: System, path: str) -> None:
    reply = await system.client.post(path, json={"job_type": "noop", "parameters": {}}, follow_redirects=False)
    assert success(reply)["job_id"].startswith("job-")
    assert re.match(r"^\d+:\d+$", reply.headers["Piperoll-Position"])


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


async def test_a_new_batch_and_each_member_can_be_read_at_once(system: System) -> None:
    created = await system.create_batch(5, sleep_s=0.5)
    assert (await system.batch(created["batch_id"]))["job_count"] == 5
    for member in created["jobs"]:
        assert (await system.job(member["job_id"]))["status"] in ("pending", "processing", "completed")


async def test_the_webhook_token_is_never_shown(system: System) -> None:
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


async def test_a_cancelled_job_stops_within_seconds(system: System) -> None:
    job_id = await system.create(sleep_s=3600, steps=1000)
    await system.wait_for_status(job_id, "processing")
    job = success(await system.client.post(f"/api/jobs/{job_id}/cancel", json={"reason": "no longer needed"}))
    assert job["status"] == "failed"
    assert job["error"]["code"] == "CANCELLED"
    again = await system.client.post(f"/api/jobs/{job_id}/cancel")
    assert again.status_code == 409
    # The slot is free again: two more long jobs than there are slots would otherwise never end.
    assert (await system.wait_for_end(await system.create()))["status"] == "completed"


async def test_a_long_poll_answers_at_the_change_of_status(system: System, site: Website, tmp_path: Path) -> None:
    held = held_pdf(site, tmp_path)
    job_id = await system.create("pdf", url=held.url)
    await system.wait_for_status(job_id, "processing")
    polling = asyncio.create_task(system.client.get(f"/api/jobs/{job_id}", params={"wait": 60}))
    held.release()
    assert success(await polling)["status"] == "completed"


async def test_the_same_idempotency_key_and_body_create_one_job(system: System) -> None:
    body = {"job_type": "noop", "parameters": {"priority": 7}}
    headers = {"Idempotency-Key": f"once-{system.stack.api_url}"}
    first = await system.post("/api/jobs/", body, **headers)
    second = await system.post("/api/jobs/", body, **headers)
    assert first["job_id"] == second["job_id"]
    other = await system.client.post("/api/jobs/", json={**body, "user_id": "another"}, headers=headers)
    assert other.status_code == 422
    assert other.json()["error"]["code"] == "IDEMPOTENCY_CONFLICT"


async def test_health_needs_no_key(system: System) -> None:
    async with httpx.AsyncClient(base_url=system.stack.api_url) as stranger:
        for path in ("/api/health/", "/api/health/live", "/api/health/ready"):
            assert (await stranger.get(path)).status_code == 200, path


async def test_the_api_s_metrics_are_at_its_health_port_alone(system: System) -> None:
    port = json.loads((system.stack.data_dir / "ports.json").read_text())["api-0-health"]
    async with httpx.AsyncClient() as stranger:
        metrics = (await stranger.get(f"http://127.0.0.1:{port}/metrics")).text
        public = await stranger.get(f"{system.stack.api_url}/metrics")
    assert "piperoll_api_requests_total" in metrics
    assert public.status_code == 401
