"""Every extraction method of the `pdf` job as its users meet it: over HTTP, through the four services, with hooks."""

import io
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.mistral import OCR, MistralServer, malformed, refused
from tests.support.pdf_runs import scanned, typed
from tests.support.system import Json, System
from tests.support.website import Website

WITH_PAGES = "mistral_ocr_with_pages"
GERMAN = "Größe der Straße: Übermaß"


def fresh(system: System, name: str = "document") -> Path:
    """A path of its own, so that no other test's result answers from the cache."""
    return system.files / f"{name}-{uuid4().hex}.pdf"


async def ended(system: System, path: Path, method: str, **parameters: Any) -> Json:
    job_id = await system.create("pdf", filename=str(path), extraction_method=method, use_cache=False, **parameters)
    return await system.wait_for_end(job_id, timeout=120)


async def done(system: System, path: Path, method: str, **parameters: Any) -> Json:
    job = await ended(system, path, method, **parameters)
    assert job["status"] == "completed", job.get("error")
    return job


def members(archive: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return file.namelist()


async def download(system: System, url: str) -> Any:
    reply = await system.client.get(url)
    assert reply.status_code == 200, reply.text
    return reply


async def test_a_scanned_page_is_read_by_local_ocr_within_the_memory_of_a_child(system: System) -> None:
    job = await done(system, scanned(fresh(system), [GERMAN, None], size=(595, 842)), "combined")
    data = job["results"]["structured_data"]
    assert GERMAN in data["extracted_text"]
    assert [(e["page"], e["method"]) for e in data["metadata"]["text_contents"]] == [
        *((1, "native"), (1, "ocr")),
        *((2, "native"), (2, "ocr")),
    ]
    assert data["metadata"]["extraction_method"] == "combined"
    assert job["progress"] == {"step": "completed", "percent": 100, "message": "Processing completed"}


async def test_previews_are_assets_that_can_be_downloaded(system: System) -> None:
    job = await done(system, typed(fresh(system), ["One", "Two"]), "preview")
    assert [Path(asset).name for asset in job["results"]["assets"]] == ["preview_001.jpg", "preview_002.jpg"]
    reply = await download(system, job["results"]["asset_urls"][1])
    assert reply.headers["content-type"] == "image/jpeg"
    assert reply.content[:3] == b"\xff\xd8\xff"
    archive = await download(system, f"/api/jobs/{job['job_id']}/download-archive")
    assert members(archive.content)[:2] == ["images/preview_001.jpg", "images/preview_002.jpg"]


async def test_mistral_with_pages_tells_and_serves_everything_the_seed_names(system: System) -> None:
    path = typed(fresh(system), ["One", "Two", "Three"])
    webhook = {"url": system.receiver.url(), "jobId": "mine"}
    job = await done(system, path, WITH_PAGES, page_start=2, include_high_res_pages=True, webhook=webhook)
    job_id = job["job_id"]
    hooks = (await system.wait_for_final_hooks([job_id]))[job_id]
    final = hooks[-1]
    assert (final["phase"], final["message"]) == ("completed", "Extraktion abgeschlossen")
    assert set(final["data"]) == {
        *("extracted_text", "metadata", "mistral_ocr_raw_url", "mistral_ocr_raw_metadata", "pages_archive_url"),
        "mistral_ocr_images_url",
    }
    assert set(final["data"]["metadata"]) == {"text_contents"}
    assert final["data"]["extracted_text"] == job["results"]["structured_data"]["extracted_text"]
    assert final["data"]["mistral_ocr_raw_metadata"]["pages_count"] == 2

    pages = await download(system, final["data"]["pages_archive_url"])
    assert members(pages.content) == ["preview_002.jpg", "page_002.jpeg", "preview_003.jpg", "page_003.jpeg"]
    raw = (await download(system, final["data"]["mistral_ocr_raw_url"])).json()
    assert [page["index"] for page in raw["pages"]] == [1, 2]
    assert "image_base64" not in raw["pages"][0]["images"][0]
    whole = (await download(system, f"{final['data']['mistral_ocr_raw_url']}?include_images=true")).json()
    assert whole["pages"][0]["images"][0]["image_base64"]
    images = await download(system, final["data"]["mistral_ocr_images_url"])
    assert members(images.content) == ["img-1.jpeg", "img-2.jpeg"]


async def test_no_page_flag_means_no_archive_and_no_link_to_one(system: System) -> None:
    webhook = {"url": system.receiver.url()}
    path = typed(fresh(system), ["One"])
    job = await done(system, path, WITH_PAGES, include_preview_pages=False, webhook=webhook)
    job_id = job["job_id"]
    assert "pages_archive_url" not in (await system.wait_for_final_hooks([job_id]))[job_id][-1]["data"]
    reply = await system.client.get(f"/api/pdf/jobs/{job_id}/download-pages-archive")
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "NO_ARCHIVE")


async def test_a_vision_model_reads_pages(system: System) -> None:
    job = await done(system, typed(fresh(system), ["One"]), "openai_vision")
    assert job["results"]["structured_data"]["extracted_text"] == "--- Seite 1 ---\nText seen in 1 image"


async def test_a_template_is_applied_to_the_text(system: System, mistral: MistralServer) -> None:
    mistral.fields = {"summary": "They met."}
    try:
        job = await done(system, typed(fresh(system), ["One"]), "native", template="MeetingMinutes")
    finally:
        mistral.fields = {}
    data = job["results"]["structured_data"]
    assert data["template_fields"]["summary"] == "They met."
    assert "They met." in data["transformed_text"]
    assert data["extracted_text"].startswith("--- Seite 1 ---\nOne")


async def test_a_document_behind_a_url_is_read(system: System, site: Website) -> None:
    path = typed(fresh(system), ["Fetched"])
    url = site.file(f"/{path.name}", path.read_bytes(), "application/pdf")
    job_id = await system.create("pdf", url=url, use_cache=False)
    job = await system.wait_for_end(job_id)
    assert "Fetched" in job["results"]["structured_data"]["extracted_text"]


async def test_a_web_page_in_a_document_s_place_is_an_invalid_pdf(system: System, site: Website) -> None:
    url = site.page(f"/{uuid4().hex}.pdf", "Login", "Please sign in.")
    job = await system.wait_for_end(await system.create("pdf", url=url))
    assert job["error"]["code"] == "INVALID_PDF"
    assert "text/html" in job["error"]["message"]


@pytest.mark.parametrize("status", [429, 500])
async def test_a_busy_or_broken_provider_is_asked_again(system: System, mistral: MistralServer, status: int) -> None:
    mistral.then(OCR, refused(status, Retry_After="0"))
    job = await done(system, typed(fresh(system), ["Again"]), "mistral_ocr")
    assert job["attempt"] == 2
    assert "Again" in job["results"]["structured_data"]["extracted_text"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [(refused(401), "OCR_PROVIDER_UNAVAILABLE"), (malformed(), "PROCESSING_ERROR")],
    ids=["401", "malformed"],
)
async def test_what_no_retry_can_mend_fails_at_once(
    system: System, mistral: MistralServer, reply: Any, code: str
) -> None:
    mistral.then(OCR, reply)
    job = await ended(system, typed(fresh(system), ["Once"]), "mistral_ocr")
    assert (job["status"], job["error"]["code"], job["attempt"]) == ("failed", code, 1)
    assert "results" not in job


async def test_tesseract_that_is_not_installed_is_said_to_be_missing(system: System) -> None:
    job = await ended(system, typed(fresh(system), ["x"]), "ocr", ocr_engine="tesseract")
    if job["status"] == "completed":  # this machine has it
        assert job["results"]["structured_data"]["metadata"]["ocr_engine"] == "tesseract"
    else:
        assert job["error"]["code"] == "OCR_PROVIDER_UNAVAILABLE"
        assert "esseract" in job["error"]["message"]
