"""The seed's section "GET /api/jobs/{job_id}/download-archive"."""

import zipfile
from pathlib import Path

import pytest

from tests.support.stacks.server import Server

EXAMPLE = """curl -X GET "http://localhost:5001/api/jobs/job-id-123/download-archive" \\
  -H "Authorization: Bearer YOUR_API_KEY" \\
  -o archive.zip
"""


@pytest.mark.needs("curl")
async def test_the_example_with_curl_saves_a_zip_file(server: Server, file: Path, tmp_path: Path) -> None:
    job_id = await server.create(filename=str(file), include_images=True)
    job = (await server.ended(f"/api/jobs/{job_id}"))["data"]
    await server.curl(EXAMPLE.replace("job-id-123", job_id), tmp_path)
    with zipfile.ZipFile(tmp_path / "archive.zip") as archive:
        assert archive.testzip() is None
        images = [f"images/{Path(asset).name}" for asset in job["results"]["assets"]]
        assert archive.namelist()[: len(images)] == images
        assert all(archive.read(name).startswith(b"\xff\xd8\xff") for name in images)


async def test_the_answer_is_a_binary_download(server: Server, file: Path) -> None:
    job_id = await server.create(filename=str(file), include_images=True)
    await server.ended(f"/api/jobs/{job_id}")
    reply = await server.client.get(f"/api/jobs/{job_id}/download-archive")
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "application/zip"
    assert reply.headers["Content-Disposition"].startswith('attachment; filename="')
    assert int(reply.headers["Content-Length"]) == len(reply.content)
    assert reply.content.startswith(b"PK\x03\x04")


async def test_a_job_without_files_has_no_archive_available(server: Server, file: Path) -> None:
    job_id = await server.create(filename=str(file))
    await server.ended(f"/api/jobs/{job_id}")
    reply = await server.client.get(f"/api/jobs/{job_id}/download-archive")
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "NO_ARCHIVE")
