"""Lists, downloads and erasure over a real Kafka, a real Postgres and a real projector, without a worker."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from schemas.events import JobCompleted, JobStarted
from schemas.ids import draw_run
from tests.support.api import (
    NOOP,
    Api,
    ended,
    refused,
    serving,
    without_projector,
)
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
async def api(environment: dict[str, str]) -> AsyncIterator[Api]:
    """The API with a projector of its own."""
    async with serving(environment) as serving_api:
        yield serving_api


PDF = {"job_type": "pdf", "parameters": {"filename": "upload://file-00000000-0000-4000-8000-000000000000/a.pdf"}}
NAMED_FILES = {
    "mistral_ocr_raw": "mistral_ocr_raw.json",
    "mistral_ocr_raw_with_images": "mistral_ocr_raw_with_images.json",
    "mistral_ocr_images": "mistral_ocr_images.zip",
    "pages_archive": "pages.zip",
}


async def test_the_named_files_of_a_pdf_are_served_under_the_names_that_clients_know(api: Api) -> None:
    job_id, run = await api.create(PDF), draw_run()
    for name in NAMED_FILES.values():
        api.blobs.put_named(f"{job_id}/{run}/{name}", name.encode(), "application/octet-stream")
    target = api.blobs.location(f"{job_id}/{run}")
    result = {"structured_data": {}, "assets": [], "target_dir": target, "files": NAMED_FILES}
    claim = api.blobs.put(f"{job_id}/{run}", json.dumps(result).encode())
    await api.happen(job_id, JobStarted(number=1, run=run, worker="w"), JobCompleted(run=run, result=claim))
    await wait_until(lambda: ended(api, job_id), 10, "the job to end")
    base = f"/api/pdf/jobs/{job_id}"
    for path, name, filename, media_type in (
        ("mistral-ocr-raw", "mistral_ocr_raw", f"mistral_ocr_raw_{job_id}.json", "application/json"),
        (
            "mistral-ocr-raw?include_images=true",
            "mistral_ocr_raw_with_images",
            f"mistral_ocr_raw_{job_id}.json",
            "application/json",
        ),
        ("mistral-ocr-images", "mistral_ocr_images", f"mistral_ocr_images_{job_id}.zip", "application/zip"),
        ("download-pages-archive", "pages_archive", "pages.zip", "application/zip"),
    ):
        reply = await api.client.get(f"{base}/{path}")
        assert (reply.status_code, reply.text) == (200, NAMED_FILES[name])
        assert reply.headers["Content-Disposition"] == f'attachment; filename="{filename}"'
        assert reply.headers["Content-Type"] == media_type
    refused(await api.client.get(f"{base}/mistral-ocr-raw?include_images=maybe"), 400, "INVALID_PARAMETERS")
    refused(await api.client.get(f"/api/jobs/{job_id}/download-archive"), 400, "NO_ARCHIVE")
    api.blobs.delete_folder(job_id)
    refused(await api.client.get(f"{base}/download-pages-archive"), 404, "NOT_FOUND")


async def test_a_list_answers_at_once_what_it_has_while_the_projector_is_away(api: Api) -> None:
    seen = await api.create({**NOOP, "user_id": "lister"})
    await api.job(seen)
    async with without_projector(api):
        await api.create({**NOOP, "user_id": "lister"})
        began = asyncio.get_running_loop().time()
        reply = await api.client.get("/api/jobs/", params={"user_id": "lister"})
        assert asyncio.get_running_loop().time() - began < 4, "a list waits two seconds at most"
        assert [job["job_id"] for job in reply.json()["data"]["jobs"]] == [seen]
    assert (await api.client.get("/api/jobs/", params={"user_id": "lister"})).json()["data"]["total"] == 2


async def test_a_batch_s_status_in_a_list_is_that_of_the_batch_itself(api: Api) -> None:
    created = (await api.client.post("/api/jobs/batch", json={"jobs": [NOOP, NOOP], "user_id": "rule"})).json()["data"]
    first, second = created["job_ids"]
    seen = []
    for job_id in (None, first, second):
        if job_id is not None:
            assert (await api.client.post(f"/api/jobs/{job_id}/cancel")).status_code == 200
        whole = (await api.client.get(f"/api/jobs/batch/{created['batch_id']}")).json()["data"]
        for status in ("pending", "processing", "completed", "failed"):
            query = {"user_id": "rule", "status": status}
            found = (await api.client.get("/api/jobs/batches", params=query)).json()["data"]
            assert found["total"] == (status == whole["status"])
        seen.append(whole["status"])
    assert seen == ["pending", "processing", "failed"]


async def test_a_member_erased_before_it_was_created_is_gone_and_still_counts(api: Api) -> None:
    created = (await api.client.post("/api/jobs/batch", json={"jobs": [NOOP, NOOP]})).json()["data"]
    gone = created["job_ids"][0]
    assert (await api.client.delete(f"/api/jobs/{gone}")).status_code == 200
    refused(await api.client.get(f"/api/jobs/{gone}"), 404, "NOT_FOUND")
    batch = (await api.client.get(f"/api/jobs/batch/{created['batch_id']}")).json()["data"]
    assert (batch["job_count"], batch["failed_count"], batch["pending_jobs"]) == (2, 1, 1)
    assert (await api.client.delete(f"/api/jobs/batch/{created['batch_id']}")).json()["data"]["jobs_deleted"] == 1
