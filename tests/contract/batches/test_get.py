"""The seed's section "GET /api/jobs/batch/{batch_id}"."""

import json
from pathlib import Path

import pytest

from tests.support.seed import require_like
from tests.support.stacks.server import Server

SHOWN = {
    "status": "success",
    "data": {
        "batch_id": "batch-id-123",
        "batch_name": "My Batch",
        "status": "completed",
        "job_count": 2,
        "completed_count": 2,
        "failed_count": 0,
        "jobs": [{"job_id": "job-1", "status": "completed"}, {"job_id": "job-2", "status": "completed"}],
    },
}
ADDED = {
    "$.data": [
        *("created_at", "updated_at", "completed_at", "total_jobs", "completed_jobs", "failed_jobs"),
        *("pending_jobs", "processing_jobs", "archived", "isActive", "access_control"),
    ]
}
"""Contract 14."""
EXAMPLE = """curl -X GET "http://localhost:5001/api/jobs/batch/batch-id-123" \\
  -H "Authorization: Bearer YOUR_API_KEY"
"""


@pytest.mark.needs("curl")
async def test_a_completed_batch_shows_its_counts_and_jobs(server: Server, file: Path, tmp_path: Path) -> None:
    jobs = [{"job_type": "pdf", "parameters": {"filename": str(file), "page_end": page}} for page in (1, 2)]
    created = (await server.post("/api/jobs/batch", {"batch_name": "My Batch", "jobs": jobs}))["data"]
    batch_id = created["batch_id"]
    answer = await server.ended(f"/api/jobs/batch/{batch_id}")
    require_like(answer, SHOWN, ADDED)
    batch = answer["data"]
    assert (batch["batch_id"], batch["batch_name"]) == (batch_id, "My Batch")
    assert (batch["job_count"], batch["completed_count"], batch["failed_count"]) == (2, 2, 0)
    assert (batch["total_jobs"], batch["completed_jobs"], batch["failed_jobs"]) == (2, 2, 0)
    assert [job["job_id"] for job in batch["jobs"]] == [job["job_id"] for job in created["batch"]["jobs"]]
    shown = json.loads(await server.curl(EXAMPLE.replace("batch-id-123", batch_id), tmp_path))
    require_like(shown, SHOWN, ADDED)


async def test_a_job_that_fails_is_counted_as_failed(server: Server, file: Path) -> None:
    names = [str(file), str(server.files / "contract-absent.pdf")]
    jobs = [{"job_type": "pdf", "parameters": {"filename": name}} for name in names]
    created = (await server.post("/api/jobs/batch", {"batch_name": "My Batch", "jobs": jobs}))["data"]
    batch = (await server.ended(f"/api/jobs/batch/{created['batch_id']}"))["data"]
    assert (batch["status"], batch["completed_count"], batch["failed_count"]) == ("completed", 1, 1)
    assert [job["status"] for job in batch["jobs"]] == ["completed", "failed"]
