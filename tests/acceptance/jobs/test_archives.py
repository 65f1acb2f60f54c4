"""Downloads of what jobs made: single files with ranges, archives, and what there is not.
See docs/contract/secretary.md#routes, #archives and docs/contract/additions.md#files."""

import io
import re
import zipfile
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.files.pdf import pdf
from tests.support.stacks.system import Json, System


async def drawn(system: System, pages: int = 3) -> Json:
    """A completed PDF job with an image of each page."""
    path = pdf(system.files / f"drawn-{uuid4().hex[:8]}.pdf", pages)
    job = await system.wait_for_end(await system.create("pdf", filename=str(path), include_images=True))
    assert job["status"] == "completed", job
    return job


def refused(reply: httpx.Response, status: int, code: str) -> Json:
    """The error of a refusal."""
    assert reply.status_code == status, reply.text
    assert set(reply.json()["error"]) == {"code", "message", "details"}
    assert reply.json()["error"]["code"] == code
    return dict(reply.json()["error"])


def unpacked(reply: httpx.Response) -> dict[str, bytes]:
    """The files of a ZIP in their order."""
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


async def test_the_archive_of_a_pdf_has_images_text_and_results(system: System) -> None:
    job = await drawn(system)
    reply = await system.client.get(f"/api/jobs/{job['job_id']}/download-archive")
    files = unpacked(reply)
    images = [f"images/page_00{number}.jpg" for number in (1, 2, 3)]
    assert list(files) == [*images, "extracted_text.md", "result.json"]
    assert all(files[name].startswith(b"\xff\xd8") for name in images)
    assert files["extracted_text.md"].decode() == job["results"]["structured_data"]["extracted_text"]
    assert re.fullmatch(r'attachment; filename="[^"]+\.zip"', reply.headers["Content-Disposition"])
    assert int(reply.headers["Content-Length"]) == len(reply.content)
    again = await system.client.get(f"/api/jobs/{job['job_id']}/download-archive")
    assert again.content == reply.content, "the same job gives the same bytes"


async def test_a_job_without_images_has_no_archive(system: System) -> None:
    path = pdf(system.files / f"plain-{uuid4().hex[:8]}.pdf", 1)
    for job_id in (await system.create("pdf", filename=str(path)), await system.create()):
        await system.wait_for_end(job_id)
        refused(await system.client.get(f"/api/jobs/{job_id}/download-archive"), 400, "NO_ARCHIVE")


PDF_DOWNLOADS = ["mistral-ocr-raw", "mistral-ocr-images", "download-pages-archive"]
DOWNLOADS = ["jobs/{}/download-archive", *(f"pdf/jobs/{{}}/{name}" for name in PDF_DOWNLOADS)]


@pytest.mark.parametrize("path", DOWNLOADS)
async def test_a_download_is_202_while_pending_and_400_or_404_if_impossible(system: System, path: str) -> None:
    def url(job_id: str) -> str:
        return f"/api/{path.format(job_id)}"

    running = await system.create(sleep_s=3600)
    reply = await system.client.get(url(running))
    assert reply.status_code == 202
    assert reply.json()["status"] == "processing"
    assert reply.json()["message"].endswith("retry later")
    assert (await system.client.post(f"/api/jobs/{running}/cancel")).status_code == 200
    refused(await system.client.get(url(running)), 400, "NO_ARCHIVE")
    refused(await system.client.get(url(f"job-{uuid4()}")), 404, "NOT_FOUND")
    refused(await system.client.get(url("no-id")), 404, "NOT_FOUND")


@pytest.mark.parametrize("name", PDF_DOWNLOADS)
async def test_a_native_extraction_has_none_of_the_ocr_downloads(system: System, name: str) -> None:
    path = pdf(system.files / f"native-{uuid4().hex[:8]}.pdf", 1)
    job = await system.wait_for_end(await system.create("pdf", filename=str(path)))
    refused(await system.client.get(f"/api/pdf/jobs/{job['job_id']}/{name}"), 400, "NO_ARCHIVE")


async def test_each_asset_is_served_at_its_url_with_its_type(system: System) -> None:
    job = await drawn(system, 2)
    results = job["results"]
    assert len(results["asset_urls"]) == len(results["assets"]) == 2
    for asset, url in zip(results["assets"], results["asset_urls"], strict=True):
        assert asset.rsplit("/", 1)[1] == url.rsplit("/", 1)[1]
        reply = await system.client.get(url)
        assert reply.status_code == 200
        assert reply.headers["Content-Type"] == "image/jpeg"
        assert reply.headers["Accept-Ranges"] == "bytes"
        assert reply.content.startswith(b"\xff\xd8")


async def test_a_file_can_be_fetched_in_parts(system: System) -> None:
    url = (await drawn(system, 1))["results"]["asset_urls"][0]

    async def get(**headers: Any) -> httpx.Response:
        return await system.client.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})

    whole = await get()
    size = len(whole.content)
    first = await get(Range="bytes=0-99")
    rest = await get(Range="bytes=100-", If_Range=whole.headers["ETag"])
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.headers["Content-Range"] == f"bytes 0-99/{size}"
    assert rest.headers["Content-Range"] == f"bytes 100-{size - 1}/{size}"
    assert first.content + rest.content == whole.content
    assert (await get(Range="bytes=-10")).content == whole.content[-10:]
    assert (await get(Range="bytes=0-9", If_Range='"another"')).status_code == 200
    outside = await get(Range=f"bytes={size}-")
    refused(outside, 416, "RANGE_NOT_SATISFIABLE")
    assert outside.headers["Content-Range"] == f"bytes */{size}"


@pytest.mark.parametrize(
    "path",
    [
        "absent.jpg",
        "..%2f..%2fcheckpoints",
        "%2e%2e/in",
        "images/../../in",
        "images/..%2f..%2f..%2fuploads",
        "%2fetc%2fpasswd",
        "images%5cpage_001.jpg",
        "images%00",
        "images",
        "",
    ],
)
async def test_a_path_reaches_only_files_of_its_job(system: System, path: str) -> None:
    job = await drawn(system, 1)
    reply = await system.client.get(f"/api/jobs/{job['job_id']}/files/{path}")
    refused(reply, 404, "NOT_FOUND")


async def test_files_are_202_while_a_job_runs_and_404_once_it_failed(system: System) -> None:
    job_id = await system.create(sleep_s=3600)
    assert (await system.client.get(f"/api/jobs/{job_id}/files/a.jpg")).status_code == 202
    assert (await system.client.post(f"/api/jobs/{job_id}/cancel")).status_code == 200
    refused(await system.client.get(f"/api/jobs/{job_id}/files/a.jpg"), 404, "NOT_FOUND")


async def test_another_owner_cannot_download_files(system: System) -> None:
    job = await drawn(system, 1)
    key = await system.create_key(f"owner-{uuid4().hex[:8]}")
    headers = {"Authorization": f"Bearer {key}"}
    for path in (*job["results"]["asset_urls"], f"/api/jobs/{job['job_id']}/download-archive"):
        refused(await system.client.get(path, headers=headers), 404, "NOT_FOUND")
