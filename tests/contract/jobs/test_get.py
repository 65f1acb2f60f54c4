"""The seed's section "GET /api/jobs/{job_id}", with "Job Status Values"."""

import json
from pathlib import Path

import pytest

from tests.support.seed import require_like
from tests.support.stacks.server import Json, Server

SHOWN = {
    "status": "success",
    "data": {
        "job_id": "job-id-123",
        "job_type": "pdf",
        "status": "completed",
        "created_at": "2024-01-01T00:00:00Z",
        "updated_at": "2024-01-01T00:05:00Z",
        "progress": {"step": "completed", "percent": 100, "message": "Processing completed"},
        "results": {
            "structured_data": {"extracted_text": "...", "metadata": {...}},
            "assets": ["/path/to/image1.jpg"],
            "target_dir": "/path/to/results",
        },
        "logs": [{"timestamp": "2024-01-01T00:00:00Z", "level": "info", "message": "Job started"}],
    },
}
ADDED = {
    "$.data": [
        *("parameters", "access_control", "archived", "attempt"),
        *("processing_started_at", "completed_at"),
    ],
    "$.data.results": ["asset_urls"],
}
"""docs/contract/additions.md#history and docs/contract/secretary.md#job."""
EXAMPLE = """curl -X GET "http://localhost:5001/api/jobs/job-id-123" \\
  -H "Authorization: Bearer YOUR_API_KEY"
"""


async def test_a_completed_job_shows_its_results(server: Server, file: Path) -> None:
    job_id = await server.create(filename=str(file), include_images=True)
    answer = await server.ended(f"/api/jobs/{job_id}")
    require_like(answer, SHOWN, ADDED)
    job = answer["data"]
    assert job["job_id"] == job_id
    assert job["progress"]["message"] == "Processing completed"
    assert job["logs"][0]["message"] == "Job started"
    data = job["results"]["structured_data"]
    assert data["extracted_text"].startswith("--- Seite 1 ---")
    assert "This is page 2." in data["extracted_text"]
    assert data["metadata"]["page_count"] == 2
    assert [entry["page"] for entry in data["metadata"]["text_contents"]] == [1, 2]
    assets = job["results"]["assets"]
    assert len(assets) == 2
    assert all(asset.startswith(job["results"]["target_dir"]) for asset in assets)


@pytest.mark.needs("curl")
async def test_the_example_with_curl_shows_the_job(server: Server, file: Path, tmp_path: Path) -> None:
    job_id = await server.create(filename=str(file), include_images=True)
    await server.ended(f"/api/jobs/{job_id}")
    require_like(json.loads(await server.curl(EXAMPLE.replace("job-id-123", job_id), tmp_path)), SHOWN, ADDED)


async def test_the_status_is_pending_then_processing_then_completed(server: Server, file: Path) -> None:
    seen = await statuses(server, str(file))
    order = ["pending", "processing", "completed"]
    assert seen == [status for status in order if status in seen]
    assert seen[-1] == "completed"


async def test_the_status_of_an_impossible_job_becomes_failed(server: Server) -> None:
    seen = await statuses(server, str(server.files / "contract-absent.pdf"))
    assert seen == [status for status in ("pending", "processing", "failed") if status in seen]
    assert seen[-1] == "failed"


async def statuses(server: Server, filename: str) -> list[str]:
    """The statuses that a job is seen with, each once, in their order; the first is that of its creation."""
    parameters: Json = {"filename": filename, "use_cache": False}
    created = (await server.post("/api/jobs/", {"job_type": "pdf", "parameters": parameters}))["data"]
    seen = [created["job"]["status"]]
    while seen[-1] not in ("completed", "failed"):
        status = (await server.get(f"/api/jobs/{created['job_id']}"))["data"]["status"]
        seen += [status] if status != seen[-1] else []
    return seen
