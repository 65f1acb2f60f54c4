"""Quotas over HTTP: refusals with Retry-After and a sentence, in the envelope of each API, and `/api/limits`."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from starlette.datastructures import UploadFile

from services.api.http import admission
from services.api.http.bodies import LARGE_BYTES, MAX_CONTAINERS
from services.api.quotas import quotas
from services.api.quotas.free_space import FreeSpace
from tests.support.stacks.memory_api import NOOP, memory_api

GB = 1_000_000_000
FILE = {"file": ("a.txt", b"text")}


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    error = answer.json()["error"]
    assert int(answer.headers["Retry-After"]) > 0
    assert "try again" in error["message"]
    return answer.status_code, error["code"], error["details"]["quota"]


async def test_an_owner_reads_its_limits_also_while_its_use_cannot_be_counted(tmp_path: Path) -> None:
    async with memory_api(tmp_path, owner_open_jobs=77) as api:
        found = (await api.client.get("/api/limits")).json()["data"]
    assert found["installation"]["open_jobs"] == {"limit": 77, "used": None}
    assert found["process"]["requests_at_a_time"] == {"limit": 1000, "used": 1}
    assert found["request"]["batch_jobs"] == {"limit": 10_000}


async def test_a_nearly_full_disk_refuses_what_is_new_and_answers_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "FreeSpace", partial(FreeSpace, usage=lambda _: (1000 * GB, 1000 * GB, 0)))
    async with memory_api(tmp_path) as api:
        full = (507, "INSUFFICIENT_STORAGE", "free_space")
        assert refusal(await api.client.post("/api/jobs/", json=NOOP)) == full
        assert refusal(await api.client.post("/api/jobs/batch", json={"jobs": [NOOP]})) == full
        assert refusal(await api.client.post("/api/files", files=FILE)) == full
        document = await api.client.post("/v1/documents", files=FILE)
        assert refusal(document) == full
        assert document.json()["success"] is False
        assert (await api.client.get("/api/limits")).status_code == 200
        assert await api.facts() == []
        assert not list(await api.blobs.names("uploads"))


async def test_a_request_beyond_the_rate_is_refused(tmp_path: Path) -> None:
    async with memory_api(tmp_path, owner_requests_per_s=1) as api:
        answers = [await api.client.get("/api/limits") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert refusal(answers[-1]) == (429, "QUOTA_EXCEEDED", "requests_per_second")


async def test_a_large_body_waits_and_is_refused_while_others_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "LARGE_WAIT_S", 0.01)
    held = 0

    async def hold(self: admission.Admission) -> None:
        nonlocal held
        held += 1
        await real(self)
        if held == 1:  # while the first one is held, another one comes
            second.append(await api.client.post("/api/jobs/", content=large))

    real, second = admission.Admission.hold_large_body, list[httpx.Response]()
    monkeypatch.setattr(admission.Admission, "hold_large_body", hold)
    large = b'{"job_type":"noop","parameters":{"x":"' + b"x" * LARGE_BYTES + b'"}}'
    async with memory_api(tmp_path, max_body_bytes=10_000_000, max_large_bodies=1) as api:
        first = await api.client.post("/api/jobs/", content=large)
        small = await api.client.post("/api/jobs/", json=NOOP)
        assert (first.status_code, small.status_code) == (400, 200)
        assert refusal(second[0]) == (429, "QUOTA_EXCEEDED", "large_bodies")
        assert (await api.client.get("/api/limits")).json()["data"]["process"]["large_bodies"]["used"] == 0


async def test_large_texts_of_a_form_with_a_file_take_a_turn_and_its_file_takes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = 0

    async def refuse(self: admission.Traffic, owner: str) -> None:
        nonlocal turns
        turns += 1
        raise admission.quota_exceeded("large_bodies", 1, "wait", 5)

    monkeypatch.setattr(admission.Traffic, "begin_large", refuse)
    large = "x" * (LARGE_BYTES + 1)
    async with memory_api(tmp_path, max_body_bytes=10_000_000, max_upload_bytes=10_000_000) as api:
        stored = await api.client.post("/api/files", files={"file": ("a.txt", large.encode())})
        assert (stored.status_code, turns) == (200, 0)
        refused = await api.client.post("/api/files", files=FILE, data={"text": large})
        assert refusal(refused) == (429, "QUOTA_EXCEEDED", "large_bodies")
        assert turns == 1


async def test_the_texts_of_a_multipart_form_are_a_large_body_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "LARGE_WAIT_S", 0.01)
    second = list[httpx.Response]()

    async def form(is_first: bool) -> AsyncIterator[bytes]:
        yield b'--B\r\nContent-Disposition: form-data; name="url"\r\n\r\n' + b"x" * (LARGE_BYTES + 1)
        if is_first:  # while the first one is held, another one comes
            second.append(await sent(False))
        yield b"\r\n--B--\r\n"

    async def sent(is_first: bool) -> httpx.Response:
        headers = {"Content-Type": "multipart/form-data; boundary=B"}
        return await api.client.post("/api/pdf/process-url", content=form(is_first), headers=headers)

    async with memory_api(tmp_path, max_body_bytes=10_000_000, max_large_bodies=1) as api:
        assert (await sent(True)).status_code == 400
        assert refusal(second[0]) == (429, "QUOTA_EXCEEDED", "large_bodies")
        assert (await api.client.get("/api/limits")).json()["data"]["process"]["large_bodies"]["used"] == 0


async def test_a_file_that_does_not_fit_on_the_disk_is_refused_while_it_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "FreeSpace", partial(FreeSpace, usage=lambda _: (1000 * GB, 1000 * GB, 0)))
    kept = list[int]()

    async def file(size: int) -> AsyncIterator[bytes]:
        yield b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        for _ in range(size // LARGE_BYTES):
            yield b"x" * LARGE_BYTES
        yield b"\r\n--B--\r\n"

    async def write(self: UploadFile, data: bytes) -> None:
        kept.append(len(data))
        await real(self, data)

    real = UploadFile.write
    monkeypatch.setattr(UploadFile, "write", write)
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    async with memory_api(tmp_path, max_upload_bytes=100_000_000) as api:
        answer = await api.client.post("/api/files", content=file(50_000_000), headers=headers)
        assert refusal(answer) == (507, "INSUFFICIENT_STORAGE", "free_space")
    assert sum(kept) <= 2 * LARGE_BYTES


async def test_a_body_of_very_many_objects_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    many = b'{"job_type":"noop","parameters":{"x":[' + b",".join([b"{}"] * MAX_CONTAINERS) + b"]}}"
    text = b'{"job_type":"noop","parameters":{"x":"' + b'{\\"[' * MAX_CONTAINERS + b'"}}'
    async with memory_api(tmp_path, max_body_bytes=10_000_000) as api:
        refused = (await api.client.post("/api/jobs/", content=many)).json()["error"]
        parsed = (await api.client.post("/api/jobs/", content=text)).json()["error"]
    assert f"{MAX_CONTAINERS:,} objects and lists" in refused["message"]
    assert parsed["code"] == "INVALID_PARAMETERS"
