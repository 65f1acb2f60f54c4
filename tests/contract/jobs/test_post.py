"""The seed's section "POST /api/jobs/"."""

import json
from pathlib import Path

import pytest

from tests.support.seed import require_like
from tests.support.stacks.server import Server

CREATED = {
    "status": "success",
    "data": {
        "job_id": "job-id-123",
        "job": {
            "job_id": "job-id-123",
            "job_type": "pdf",
            "status": "pending",
            "created_at": "2024-01-01T00:00:00Z",
            "parameters": {...},
        },
    },
}
EXAMPLE = """curl -X POST "http://localhost:5001/api/jobs/" \\
  -H "Authorization: Bearer YOUR_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "job_type": "pdf",
    "parameters": {
      "filename": "/path/to/file.pdf",
      "extraction_method": "combined"
    }
  }'
"""


async def test_the_request_is_answered_with_the_created_job(server: Server, file: Path) -> None:
    body = {
        "job_type": "pdf",
        "parameters": {
            "filename": str(file),
            "extraction_method": "combined",
            "template": "MeetingMinutes",
            "use_cache": True,
        },
        "user_id": "optional-user-id",
    }
    answer = await server.post("/api/jobs/", body)
    require_like(answer, CREATED)
    assert answer["data"]["job"]["job_id"] == answer["data"]["job_id"]
    assert answer["data"]["job"]["parameters"] == body["parameters"]
    ended = (await server.ended(f"/api/jobs/{answer['data']['job_id']}"))["data"]
    assert ended["status"] == "completed", ended
    assert "This is page 1." in ended["results"]["structured_data"]["extracted_text"]


@pytest.mark.needs("curl")
async def test_the_example_with_curl_creates_a_job(server: Server, file: Path, tmp_path: Path) -> None:
    answer = json.loads(await server.curl(EXAMPLE.replace("/path/to/file.pdf", str(file)), tmp_path))
    require_like(answer, CREATED)
    assert answer["data"]["job"]["parameters"] == {"filename": str(file), "extraction_method": "combined"}


@pytest.mark.parametrize("job_type", ["pdf", "session", "transformer"])
async def test_each_supported_job_type_is_known(server: Server, job_type: str) -> None:
    """The error of a known type with missing parameters differs from that of an unknown type."""
    reply = await server.client.post("/api/jobs/", json={"job_type": job_type, "parameters": {}})
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "INVALID_PARAMETERS"
