"""The downloads of `pdf` jobs: previews, Mistral's answer, its images, and pages."""

import base64
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.clients.pdf import done, fresh
from tests.support.runs.pdf import typed
from tests.support.stacks.system import Json, System

WITH_PAGES = "mistral_ocr_with_pages"


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
