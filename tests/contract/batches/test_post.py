"""The seed's section "POST /api/jobs/batch"."""

import re
from pathlib import Path

from tests.support.files.pdf import pdf
from tests.support.seed import require_like
from tests.support.stacks.server import Server

CREATED = {
    "status": "success",
    "data": {
        "batch_id": "batch-id-123",
        "batch": {
            "batch_id": "batch-id-123",
            "batch_name": "My Batch",
            "status": "pending",
            "job_count": 2,
            "jobs": [...],
        },
    },
}
ADDED = {
    "$.data": ["job_ids"],
    "$.data.batch": [
        *("created_at", "updated_at", "completed_count", "failed_count", "total_jobs", "completed_jobs"),
        *("failed_jobs", "pending_jobs", "processing_jobs", "archived", "isActive", "access_control"),
    ],
}
"""Contract 2a and 14."""


async def test_the_request_is_answered_with_the_created_batch(server: Server, file: Path) -> None:
    other = pdf(file.with_suffix(".other.pdf"))
    body = {
        "batch_name": "My Batch",
        "jobs": [
            {"job_type": "pdf", "parameters": {"filename": str(file)}},
            {"job_type": "pdf", "parameters": {"filename": str(other)}},
        ],
    }
    answer = await server.post("/api/jobs/batch", body)
    require_like(answer, CREATED, ADDED)
    batch = answer["data"]["batch"]
    assert batch["batch_id"] == answer["data"]["batch_id"]
    assert (batch["batch_name"], batch["job_count"]) == ("My Batch", 2)
    assert answer["data"]["job_ids"] == [job["job_id"] for job in batch["jobs"]]
    assert [job["parameters"]["filename"] for job in batch["jobs"]] == [str(file), str(other)]
    assert all(re.fullmatch(r"\S+", job["job_id"]) and job["status"] == "pending" for job in batch["jobs"])
