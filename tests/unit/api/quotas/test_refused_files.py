"""A request with a file that is refused for its job leaves nothing behind: no document, no upload."""

from pathlib import Path

import pytest

from schemas.topics import DOCUMENT_EVENTS
from services.api.quotas.quotas import Quotas
from tests.support.stacks.memory_api import MemoryApi, memory_api

PDF = {"file": ("a.pdf", b"%PDF-1.7 text")}


@pytest.fixture(autouse=True)
def many_open_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner has as many open jobs as it may have."""

    async def at_the_limit(self: Quotas, owner: str) -> int:
        return self._open_jobs.limit

    monkeypatch.setattr(Quotas, "_count_open_jobs", at_the_limit)


async def document_facts(api: MemoryApi) -> int:
    return sum((await api.log.end_offsets(DOCUMENT_EVENTS)).values())


@pytest.mark.parametrize("path", ["/v1/documents?wait=0", "/api/pdf/process"])
async def test_a_file_whose_job_is_too_many_is_not_stored(tmp_path: Path, path: str) -> None:
    async with memory_api(tmp_path, owner_open_jobs=5) as api:
        await api.client.get("/api/limits")  # counts the jobs
        answer = await api.client.post(path, files=PDF)
        blobs = [entry.uri for page in [page async for page in api.blobs.pages()] for entry in page]
        documents = await document_facts(api)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "QUOTA_EXCEEDED")
    assert (documents, blobs) == (0, ["installation.json"])


async def test_a_document_and_its_job_are_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []

    async def admit(self: Quotas, owner: str, count: int) -> None:
        counted.append(count)

    monkeypatch.setattr(Quotas, "admit_jobs", admit)
    async with memory_api(tmp_path) as api:
        assert (await api.client.post("/v1/documents?wait=0", files=PDF)).status_code == 202
        assert counted == [1]
        assert (await api.client.post("/api/pdf/process", files=PDF)).status_code == 202
        assert counted == [1, 1]
        assert (await api.client.post("/api/pdf/process", data={"url": "https://example.com/a"})).status_code == 202
    assert counted == [1, 1, 1]
