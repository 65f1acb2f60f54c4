"""Files that are uploaded before a job names them."""

import errno
from tempfile import SpooledTemporaryFile

import pytest

from tests.support.stacks.memory_api import MemoryApi, error


async def test_an_upload_is_stored_for_its_owner_and_can_be_used_by_a_job(api: MemoryApi) -> None:
    reply = await api.client.post("/api/files", files={"file": ("../scans/über.pdf", b"%PDF-1.7 content")})
    data = reply.json()["data"]
    assert data["filename"] == f"upload://{data['file_id']}/über.pdf"
    assert (data["size"], data["media_type"]) == (16, "application/pdf")
    assert await api.blobs.get(f"uploads/local/{data['file_id']}/über.pdf") == b"%PDF-1.7 content"
    body = {"job_type": "pdf", "parameters": {"filename": data["filename"]}}
    assert (await api.client.post("/api/jobs", json=body)).status_code == 200


async def test_a_name_that_a_local_store_reserves_is_stored_under_another_one(api: MemoryApi) -> None:
    reply = await api.client.post("/api/files", files={"file": ("x#1", b"content")})
    assert reply.status_code == 200, reply.text
    assert reply.json()["data"]["filename"].endswith("/x_1")


async def test_titles_and_hosts_are_stored_and_shown_as_they_are_used(api: MemoryApi) -> None:
    session = {"event": "e", "session": "On\nsoil", "track": "t", "url": "https://straße.example/ä", "filename": "a.md"}
    reply = await api.client.post("/api/jobs", json={"job_type": "session", "parameters": session})
    used = {**session, "session": "On soil", "url": "https://xn--strae-oqa.example/ä"}
    assert reply.json()["data"]["job"]["parameters"] == used
    (created,) = await api.facts()
    assert (await api.document(created.data.parameters))["parameters"] == used  # type: ignore[union-attr]


async def test_a_session_does_not_write_an_upload(api: MemoryApi) -> None:
    session = {"event": "e", "session": "s", "track": "t", "url": "https://example.com/", "filename": "upload://.."}
    job = {"job_type": "session", "parameters": session}
    assert error(await api.client.post("/api/jobs", json=job), 400)["code"] == "INVALID_PARAMETERS"
    assert error(await api.client.post("/api/jobs/batch", json={"jobs": [job]}), 400)["details"]["index"] == 0


Files = list[tuple[str, tuple[str, bytes]]]


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ([("file", ("a.pdf", b""))], 400),
        ([("other", ("a.pdf", b"x"))], 400),
        ([("file", ("a.pdf", b"x")), ("file", ("b.pdf", b"x"))], 400),
        ([("file", ("a.pdf", b"x")), ("second", ("b.pdf", b"x"))], 400),
        ([("file", ("a.pdf", b"x" * 200_001))], 413),
        ([("file", ("a.pdf", b"x" * 900_000))], 413),
        ([("file", ("a.pdf", b"x" * 200_000))], 200),
    ],
)
async def test_an_upload_is_exactly_one_file_within_the_limit(api: MemoryApi, files: Files, status: int) -> None:
    assert (await api.client.post("/api/files", files=files)).status_code == status


async def test_an_upload_that_is_not_a_form_is_refused(api: MemoryApi) -> None:
    for media_type in ("application/pdf", "multipart/form-data"):
        reply = await api.client.post("/api/files", content=b"x", headers={"Content-Type": media_type})
        assert error(reply, 400)["code"] == "INVALID_REQUEST"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
async def test_an_upload_for_which_the_folder_of_temporary_files_has_no_room_is_refused_with_a_time(
    api: MemoryApi, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def write(*_: object) -> int:
        raise OSError(code, "no room")

    monkeypatch.setattr(SpooledTemporaryFile, "write", write)
    reply = await api.client.post("/api/files", files={"file": ("a.txt", b"content")})
    assert error(reply, 507)["code"] == "INSUFFICIENT_STORAGE"
    assert int(reply.headers["Retry-After"]) > 0
