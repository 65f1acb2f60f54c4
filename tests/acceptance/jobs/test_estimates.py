"""Estimates of jobs, and when open ones will end."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from schemas.job_types.registry import OWN
from tests.support.clients.pdf import done, fresh
from tests.support.files.pdf import pdf
from tests.support.stacks.system import Json, System
from tests.support.waiting import wait_until

UNKNOWN_DOCUMENT = "doc-00000000-0000-4000-8000-000000000000"


def partly_scanned(path: Path, pages: int, scanned: int) -> Path:
    """A PDF whose last pages have no text."""
    import pymupdf

    with pymupdf.open(pdf(path, pages)) as document:
        for _ in range(scanned):
            document.new_page().draw_rect((72, 72, 300, 300), fill=(0, 0, 0))
        document.saveIncr()
    return path


async def estimate(client: httpx.AsyncClient, job_type: str, **parameters: object) -> Json:
    body = {"job_type": job_type, "parameters": parameters}
    reply = await client.post("/api/jobs/estimate", json=body)
    assert reply.status_code == 200, reply.text
    return dict(reply.json()["data"])


@pytest.fixture
async def client(system: System) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an owner without jobs."""
    async with system.client_of(f"estimating-{uuid4().hex[:8]}") as made:
        yield made


async def test_the_pages_with_and_without_text_are_counted_and_no_job_remains(
    system: System, client: httpx.AsyncClient
) -> None:
    path = partly_scanned(fresh(system), 3, 2)
    found = await estimate(client, "extraction", filename=str(path))
    names = ("pages", "pages_with_text", "pages_without_text", "pages_looked_at", "problem")
    assert [found[name] for name in names] == [5, 3, 2, 5, None]
    assert (await client.get("/api/jobs/")).json()["data"]["total"] == 0


async def test_selected_pages_count_alone(system: System, client: httpx.AsyncClient) -> None:
    path = partly_scanned(fresh(system), 3, 2)
    found = await estimate(client, "pdf", filename=str(path), page_start=3, page_end=4)
    assert (found["pages"], found["pages_with_text"]) == (2, 1)


async def test_an_upload_is_still_there_after_its_estimate(client: httpx.AsyncClient, tmp_path: Path) -> None:
    content = pdf(tmp_path / "report.pdf", 4).read_bytes()
    upload = await client.post("/api/files", files={"file": ("report.pdf", content)})
    given = {"filename": upload.json()["data"]["filename"], "use_cache": False}
    assert (await estimate(client, "pdf", **given))["pages"] == 4
    assert (await estimate(client, "pdf", **given))["pages"] == 4
    created = await client.post("/api/jobs/", json={"job_type": "pdf", "parameters": given})
    job_id = created.json()["data"]["job_id"]
    job = await wait_until(lambda: ended(client, job_id), 60, "the job to end")
    assert job is not None
    assert job["status"] == "completed", job


async def ended(client: httpx.AsyncClient, job_id: str) -> Json | None:
    job = (await client.get(f"/api/jobs/{job_id}")).json()["data"]
    return job if job["status"] in ("completed", "failed") else None


async def test_the_time_is_that_of_jobs_that_read_pages_in_the_same_way(
    system: System, client: httpx.AsyncClient
) -> None:
    for _ in range(3):
        await done(system, pdf(fresh(system), 10), "preview_and_native")
    await until_measured(client, "pdf", url="https://example.com/a.pdf", extraction_method="preview_and_native")
    asked = {"filename": str(pdf(fresh(system), 20)), "extraction_method": "preview_and_native"}
    found = await estimate(client, "pdf", **asked)
    assert (found["pages"], found["basis"]) == (20, "measured")
    assert found["measured_jobs"] >= 3
    assert 0 < found["seconds"]["p50"] <= found["seconds"]["p90"]


async def until_measured(client: httpx.AsyncClient, job_type: str, **parameters: object) -> None:
    """Wait until the API has read the jobs that have just ended; parameters whose file is not opened."""

    async def known() -> bool:
        return bool((await estimate(client, job_type, **parameters))["basis"] == "measured")

    await wait_until(known, 60, "the jobs to be measured")


async def test_a_file_that_the_job_would_fail_for_is_named_with_its_problem(
    system: System, client: httpx.AsyncClient
) -> None:
    found = await estimate(client, "pdf", filename=str(pdf(fresh(system), password="x")))
    assert (found["pages"], found["problem"]["code"]) == (None, "PDF_ENCRYPTED")
    found = await estimate(client, "extraction", filename=str(system.files / "absent.pdf"))
    assert found["problem"]["code"] == "FILE_NOT_FOUND"


async def test_what_is_not_opened_is_estimated_without_its_pages(system: System, client: httpx.AsyncClient) -> None:
    found = await estimate(client, "pdf", url="https://example.com/a.pdf")
    assert found["pages"] is None
    assert any("fetched when the job runs" in note for note in found["notes"])
    text = fresh(system).with_suffix(".md")
    text.write_text("# Title\n")
    found = await estimate(client, "extraction", filename=str(text))
    assert found["pages"] is None
    assert any("not counted before" in note for note in found["notes"])
    assert (await estimate(client, "noop"))["queue"] == {"jobs_before": 0, "wait_s": 0.0}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"job_type": "unknown", "parameters": {}}, "UNKNOWN_JOB_TYPE"),
        ({"job_type": "inspection", "parameters": {"file": "/etc/passwd"}}, "UNKNOWN_JOB_TYPE"),
        ({"job_type": "pdf", "parameters": {}}, "INVALID_PARAMETERS"),
        ({"job_type": "pdf", "parameters": {"filename": "/etc/passwd"}}, "INVALID_PARAMETERS"),
        ({"job_type": "extraction", "parameters": {"document_id": UNKNOWN_DOCUMENT}}, "INVALID_PARAMETERS"),
        ({"job_type": "pdf", "parameters": {"url": "http://169.254.169.254/"}}, "BLOCKED_ADDRESS"),
    ],
    ids=["unknown-type", "internal-type", "no-source", "forbidden-file", "unknown-document", "blocked-address"],
)
async def test_what_a_creation_refuses_an_estimate_refuses_too(
    client: httpx.AsyncClient, body: Json, code: str
) -> None:
    estimated, created = [await client.post(path, json=body) for path in ("/api/jobs/estimate", "/api/jobs/")]
    assert estimated.status_code == created.status_code == 400, estimated.text
    assert estimated.json() == created.json()
    assert estimated.json()["error"]["code"] == code


def test_a_client_is_offered_no_internal_type() -> None:
    assert "inspection" not in OWN.requestable


async def test_open_jobs_and_batches_have_an_eta_and_ended_ones_have_none(system: System) -> None:
    jobs = [await system.create(sleep_s=0.2) for _ in range(3)]
    await system.wait_for_all(jobs)
    job_id = await system.create(sleep_s=6, steps=12)

    async def with_eta() -> Json | None:
        job = await system.job(job_id)
        assert job["status"] not in ("completed", "failed"), "it ended first"
        return job if "eta" in job and job.get("progress", {}).get("percent", 0) >= 16 else None

    job = await wait_until(with_eta, 30, "an eta of the running job")
    assert job is not None
    eta = job["eta"]
    assert 0 <= eta["seconds"] < 60
    assert datetime.fromisoformat(eta["time"]) >= datetime.now(UTC) - timedelta(seconds=30)
    batch = await system.create_batch(20, sleep_s=0.3)

    async def batch_with_eta() -> Json | None:
        found = await system.batch(batch["batch_id"])
        assert found["status"] != "completed", "it ended first"
        return found if "eta" in found else None

    found = await wait_until(batch_with_eta, 30, "an eta of the batch")
    assert found is not None
    assert found["eta"]["seconds"] > 0
    listed = (await system.client.get("/api/jobs/batches")).json()["data"]["batches"]
    assert next(one for one in listed if one["batch_id"] == batch["batch_id"])["eta"]["seconds"] >= 0
    assert "eta" not in await system.wait_for_end(job_id)
    await system.wait_for_all([member["job_id"] for member in batch["jobs"]])
    assert "eta" not in await system.batch(batch["batch_id"])
