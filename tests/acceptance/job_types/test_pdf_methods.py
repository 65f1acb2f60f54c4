"""Every extraction method of the `pdf` job as its users meet it: over HTTP, through the four services, with hooks."""

import base64
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from schemas.job_types.pdf import PdfParameters
from tests.support.runs.pdf import scanned, typed
from tests.support.servers.mistral import OCR, MistralServer, malformed, refused
from tests.support.servers.website import Website
from tests.support.stacks.system import Json, System

WITH_PAGES = "mistral_ocr_with_pages"
GERMAN = "Größe der Straße: Übermaß"


def fresh(system: System, name: str = "document") -> Path:
    """A path of its own, so that no other test's result answers from the cache."""
    return system.files / f"{name}-{uuid4().hex}.pdf"


async def ended(system: System, path: Path, method: str, **parameters: Any) -> Json:
    given = {"filename": str(path), "extraction_method": method, "use_cache": False, **parameters}
    job_id = await system.create("pdf", **given)
    return await system.wait_for_end(job_id, timeout=120)


async def done(system: System, path: Path, method: str, **parameters: Any) -> Json:
    job = await ended(system, path, method, **parameters)
    assert job["status"] == "completed", job.get("error")
    return job


def unpacked(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return {name: file.read(name) for name in file.namelist()}


def members(archive: bytes) -> list[str]:
    return list(unpacked(archive))


async def download(system: System, url: str, filename: str | None = None) -> Any:
    """The answer, an attachment of that name if one is given."""
    reply = await system.client.get(url)
    assert reply.status_code == 200, reply.text
    if filename is not None:
        assert reply.headers["content-disposition"] == f'attachment; filename="{filename}"'
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


SEEN = "Text seen in 1 image"
METHODS: dict[str, dict[str, str]] = {
    "native": {"native": GERMAN},
    "ocr": {"ocr": GERMAN},
    "tesseract_ocr": {"ocr": GERMAN},
    "combined": {"native": GERMAN, "ocr": GERMAN},
    "both": {"native": GERMAN, "ocr": GERMAN},
    "preview": {},
    "preview_and_native": {"native": GERMAN},
    "preview_and_mistral_ocr": {"mistral_ocr": GERMAN},
    "llm": {"llm": SEEN},
    "openai_vision": {"llm": SEEN},
    "llm_and_native": {"llm": SEEN, "native": GERMAN},
    "llm_and_ocr": {"llm": SEEN, "ocr": GERMAN},
    "mistral_ocr": {"mistral_ocr": GERMAN},
    "mistral_ocr_with_pages": {"mistral_ocr": GERMAN},
}
"""By method as it is asked for: how the page is read, and what is found by it."""


@pytest.mark.parametrize("method", PdfParameters.SUPPORTED["extraction_method"])
async def test_every_extraction_method_gives_its_text(system: System, method: str) -> None:
    job = await done(system, typed(fresh(system), [GERMAN]), method, page_start=1)
    data = job["results"]["structured_data"]
    contents = {entry["method"]: entry["text"] for entry in data["metadata"]["text_contents"]}
    assert list(contents) == list(METHODS[method]), "each way of reading is kept, in the order of the method's name"
    for by, text in METHODS[method].items():
        assert text in contents[by]
    first = next(iter(METHODS[method].values()), "")
    assert first in data["extracted_text"]
    assert data["metadata"]["extraction_method"] == method
    assert bool(data["metadata"]["preview_paths"]) == method.startswith("preview")


async def test_previews_are_assets_that_can_be_downloaded(system: System) -> None:
    job = await done(system, typed(fresh(system), ["One", "Two"]), "preview")
    assert [Path(asset).name for asset in job["results"]["assets"]] == ["preview_001.jpg", "preview_002.jpg"]
    reply = await download(system, job["results"]["asset_urls"][1])
    assert reply.headers["content-type"] == "image/jpeg"
    assert reply.content[:3] == b"\xff\xd8\xff"
    archive = await download(system, f"/api/jobs/{job['job_id']}/download-archive")
    assert members(archive.content)[:2] == ["images/preview_001.jpg", "images/preview_002.jpg"]


async def test_the_downloads_of_a_mistral_job_hold_its_answer_its_images_and_its_pages(system: System) -> None:
    """Of the job that asked Mistral, and of one like it that took its result from the cache."""
    path = typed(fresh(system), ["One", "Two", "Three"])
    asked = {"page_start": 2, "include_high_res_pages": True, "use_cache": True}
    first = await done(system, path, WITH_PAGES, **asked)
    again = await done(system, path, WITH_PAGES, **asked)
    assert "process" not in first["results"]
    assert again["results"]["process"] == {"is_from_cache": True}
    for job_id in (first["job_id"], again["job_id"]):
        found = await mistral_downloads(system, job_id)
        assert [page["index"] for page in found.raw["pages"]] == [1, 2]
        assert "Two" in found.raw["pages"][0]["markdown"]
        assert not any("image_base64" in image for page in found.raw["pages"] for image in page["images"])
        encoded = [image["image_base64"] for page in found.whole["pages"] for image in page["images"]]
        assert [base64.b64decode(one.partition(",")[2]) for one in encoded] == list(found.images.values())
        assert list(found.images) == ["img-1.jpeg", "img-2.jpeg"]
        assert list(found.pages) == ["preview_002.jpg", "page_002.jpeg", "preview_003.jpg", "page_003.jpeg"]
        assert all(content.startswith(b"\xff\xd8\xff") for content in found.pages.values())


async def test_plain_mistral_ocr_has_an_answer_and_images_and_no_pages(system: System) -> None:
    job_id = (await done(system, typed(fresh(system), ["One"]), "mistral_ocr"))["job_id"]
    raw = await download(system, f"/api/pdf/jobs/{job_id}/mistral-ocr-raw")
    assert raw.json()["usage_info"]["pages_processed"] == 1
    images = await download(system, f"/api/pdf/jobs/{job_id}/mistral-ocr-images")
    assert members(images.content) == ["img-0.jpeg"]
    refused_archive = await system.client.get(f"/api/pdf/jobs/{job_id}/download-pages-archive")
    assert (refused_archive.status_code, refused_archive.json()["error"]["code"]) == (400, "NO_ARCHIVE")
    wrong = await system.client.get(f"/api/pdf/jobs/{job_id}/mistral-ocr-raw?include_images=perhaps")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "INVALID_PARAMETERS")


@dataclass(frozen=True)
class MistralDownloads:
    """What the three downloads of a Mistral job hold, the first without and with its images."""

    raw: Json
    whole: Json
    images: dict[str, bytes]
    pages: dict[str, bytes]


async def mistral_downloads(system: System, job_id: str) -> MistralDownloads:
    """All of them, under the names of docs/contract/secretary.md#routes."""
    base = f"/api/pdf/jobs/{job_id}"
    raw = await download(system, f"{base}/mistral-ocr-raw", f"mistral_ocr_raw_{job_id}.json")
    whole = await download(system, f"{base}/mistral-ocr-raw?include_images=true", f"mistral_ocr_raw_{job_id}.json")
    images = await download(system, f"{base}/mistral-ocr-images", f"mistral_ocr_images_{job_id}.zip")
    pages = await download(system, f"{base}/download-pages-archive", "pages.zip")
    return MistralDownloads(raw.json(), whole.json(), unpacked(images.content), unpacked(pages.content))


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


@pytest.mark.parametrize("status", [429, 500])
async def test_a_busy_or_broken_provider_is_retried(system: System, mistral: MistralServer, status: int) -> None:
    mistral.then(OCR, refused(status, Retry_After="0"))
    job = await done(system, typed(fresh(system), ["Again"]), "mistral_ocr")
    assert job["attempt"] == 2
    assert "Again" in job["results"]["structured_data"]["extracted_text"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [(refused(401), "OCR_PROVIDER_UNAVAILABLE"), (malformed(), "PROCESSING_ERROR")],
    ids=["401", "malformed"],
)
async def test_a_permanent_error_fails_at_once(system: System, mistral: MistralServer, reply: Any, code: str) -> None:
    mistral.then(OCR, reply)
    job = await ended(system, typed(fresh(system), ["Once"]), "mistral_ocr")
    assert (job["status"], job["error"]["code"], job["attempt"]) == ("failed", code, 1)
    assert "results" not in job


@pytest.mark.needs("tesseract", packages="tesseract-ocr tesseract-ocr-deu")
async def test_tesseract_reads_a_scanned_page_in_german_and_english(system: System) -> None:
    path = scanned(fresh(system), ["Größe und Übermaß", "The weather is fine"], dpi=200)
    job = await done(system, path, "ocr", ocr_engine="tesseract")
    data = job["results"]["structured_data"]
    assert "Größe und Übermaß" in data["extracted_text"]
    assert "The weather is fine" in data["extracted_text"]
    assert data["metadata"]["ocr_engine"] == "tesseract"
