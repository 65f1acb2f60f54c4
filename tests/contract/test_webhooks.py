"""The seed's section "Webhook Integration": configuration, both payloads of completion, and progress."""

from pathlib import Path
from typing import Any

from tests.support.seed import require_like
from tests.support.servers.receiver import Received
from tests.support.stacks.server import FINAL, Json, Server

COMPLETED = {
    "phase": "completed",
    "message": "Processing completed",
    "data": {"extracted_text": "...", "metadata": {...}},
}
MISTRAL = {
    "phase": "completed",
    "message": "Extraktion abgeschlossen",
    "data": {
        "extracted_text": "...",
        "metadata": {"text_contents": [...]},
        "mistral_ocr_raw_url": "/api/pdf/jobs/{job_id}/mistral-ocr-raw",
        "mistral_ocr_raw_metadata": {"model": "mistral-ocr-latest", "pages_count": 235, "usage_info": {...}},
        "pages_archive_url": "/api/pdf/jobs/{job_id}/download-pages-archive",
    },
}
PROGRESS = {
    "phase": "processing",
    "progress": 50,
    "message": "Extracting text from PDF...",
    "process": {"id": "job-id-123"},
}
FAILED = {
    "phase": "error",
    "message": "...",
    "error": {"code": "FILE_NOT_FOUND", "message": "...", "details": {"error_type": "...", "duration_ms": 1}},
    "process": {"id": "job-id-123", "main_processor": "pdf"},
    "job": {"id": "client_job_id"},
    "data": None,
}
"""The seed shows no failure: this is docs/contract/secretary.md#webhooks."""
EVERY = ["schema_version", "job", "process"]
SAME = ["phase"]


def hooked(server: Server, path: str) -> Json:
    """The seed's webhook configuration."""
    return {"url": f"{server.receiver_url}{path}", "token": "webhook_auth_token", "jobId": "client_job_id"}


async def test_a_standard_job_reports_its_progress_and_then_its_completion(server: Server, file: Path) -> None:
    webhook = hooked(server, "/contract/standard")
    job_id = await server.create(filename=str(file), webhook=webhook, use_cache=False)
    sent = await server.hooks(job_id)
    require_order(sent)
    final = sent[-1].json
    require_like(final, COMPLETED, {"$": EVERY}, SAME)
    assert final["message"] == "Processing completed"
    assert final["job"] == {"id": "client_job_id"}
    job = (await server.ended(f"/api/jobs/{job_id}"))["data"]
    assert final["data"] == job["results"]["structured_data"]
    assert job["parameters"]["webhook"] == {**webhook, "token": "***"}


async def test_a_mistral_job_reports_the_urls_of_its_downloads(server: Server, file: Path) -> None:
    webhook = hooked(server, "/contract/mistral")
    method = "mistral_ocr_with_pages"
    job_id = await server.create(filename=str(file), webhook=webhook, extraction_method=method, use_cache=False)
    sent = await server.hooks(job_id)
    require_order(sent)
    final = sent[-1].json
    require_like(final, MISTRAL, {"$": EVERY, "$.data": ["mistral_ocr_images_url"]}, SAME)
    assert final["message"] == "Extraktion abgeschlossen"
    data = final["data"]
    assert data["mistral_ocr_raw_url"] == f"/api/pdf/jobs/{job_id}/mistral-ocr-raw"
    assert data["pages_archive_url"] == f"/api/pdf/jobs/{job_id}/download-pages-archive"
    assert data["mistral_ocr_raw_metadata"]["pages_count"] == len(data["metadata"]["text_contents"]) == 2
    raw = await server.get(f"{data['mistral_ocr_raw_url']}?include_images=true")
    assert [page["index"] for page in raw["pages"]] == [0, 1]
    assert all(image["image_base64"] for page in raw["pages"] for image in page["images"])
    pages = await server.client.get(data["pages_archive_url"])
    assert (pages.status_code, pages.headers["Content-Type"]) == (200, "application/zip")


async def test_a_failing_job_reports_its_error(server: Server) -> None:
    """The receiver's view of a job that cannot be done: progress, then one error, and no data."""
    webhook = hooked(server, "/contract/failing")
    absent = str(server.files / "contract-absent.pdf")
    job_id = await server.create(filename=absent, webhook=webhook)
    sent = await server.hooks(job_id)
    require_order(sent)
    require_like(sent[-1].json, FAILED, {"$": ["schema_version"]}, [*SAME, "code"])
    job = (await server.ended(f"/api/jobs/{job_id}"))["data"]
    assert sent[-1].json["error"] == job["error"]
    assert job["progress"]["step"] == "error"
    assert "results" not in job


def require_order(sent: list[Received]) -> None:
    """Progress first, its percents never falling, then one final hook; headers and token as documented."""
    hooks: list[dict[str, Any]] = [one.json for one in sent]
    assert [hook["phase"] in FINAL for hook in hooks] == [False] * (len(hooks) - 1) + [True]
    assert len(hooks) > 1, "a progress hook is always tried"
    for hook in hooks[:-1]:
        require_like(hook, PROGRESS, {"$": [*EVERY, "step"], "$.process": ["main_processor"]}, SAME)
        assert hook["step"] != "extracting_text" or hook["message"] == PROGRESS["message"]
    percents = [hook["progress"] for hook in hooks[:-1]]
    assert percents == sorted(percents)
    for one in sent:
        assert one.headers["Content-Type"] == one.headers["Accept"] == "application/json"
        assert one.headers["Authorization"] == "Bearer webhook_auth_token"
        assert one.headers["X-Callback-Token"] == "webhook_auth_token"
        assert b"webhook_auth_token" not in one.body
        assert one.json["job"] == {"id": "client_job_id"}
