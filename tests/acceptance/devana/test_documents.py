"""Documents, folders and search as their users meet them: files of every kind go in, and a search finds each text.

The module runs its own stack without a provider: only the models that ship are used."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from piperoll.embedded.stack import Stack, StackOptions
from tests.support.clients.documents import data_of, ended, folder, refused, reindexed, search, upload
from tests.support.files.kinds import FILES
from tests.support.servers.receiver import Receiver
from tests.support.stacks.system import System
from tests.support.stacks.traces import found_in, until_gone
from tests.support.waiting import PATIENCE_S

LIMIT_BYTES = 3_000_000


@pytest.fixture(scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """The four services without a provider, with a small limit for uploads."""
    files: Path = tmp_path_factory.mktemp("files")
    options = StackOptions(
        extra_env={
            "PIPEROLL_FILES_ROOTS": str(files),
            "PIPEROLL_SLOTS": "2",
            "PIPEROLL_MAX_UPLOAD_BYTES": str(LIMIT_BYTES),
            "PIPEROLL_RATE_LIMIT": "100000",
        }
    )
    async with Receiver() as receiver, Stack(tmp_path_factory.mktemp("documents"), options) as running:
        await running.wait_ready(PATIENCE_S)
        headers = {"Authorization": f"Bearer {running.api_key}"}
        async with httpx.AsyncClient(base_url=running.api_url, headers=headers, timeout=180) as client:
            yield System(running, client, receiver, files)


async def test_files_of_every_kind_are_extracted_and_found_by_their_content(system: System, tmp_path: Path) -> None:
    folder_id = await folder(system)
    documents: dict[str, str] = {}
    for name, (make, _, expected) in FILES.items():
        document = await upload(system, name, make(tmp_path / name).read_bytes(), folder_id)
        assert document["status"] == "DONE", document
        assert expected.lower() in document["content"].lower(), document
        documents[name] = document["documentId"]
    listed = data_of(await system.client.get(f"/v1/folders/{folder_id}/files"))
    assert {one["name"]: one["id"] for one in listed} == documents
    job = await reindexed(system, folder_id)
    assert job["metadata"]["filesProcessed"] == len(FILES)
    assert job["metadata"]["totalChunks"] >= len(FILES)
    for name, (_, asked, expected) in FILES.items():
        best = (await search(system, folder_id, asked))[0]
        assert best["documentId"] == documents[name], (name, asked, best)
        assert expected.lower() in best["text"].lower()
    words = data_of(await system.client.get(f"/v1/folders/{folder_id}"))["words"]
    assert words > 50


async def test_a_removed_document_is_not_found_by_a_search(system: System) -> None:
    folder_id = await folder(system)
    texts = {
        "a.md": "The heat pump is serviced in May.",
        "b.md": "The boiler was repaired.",
        "c.md": "Radiators are warm.",
    }
    ids = {name: (await upload(system, name, text.encode(), folder_id))["documentId"] for name, text in texts.items()}
    await reindexed(system, folder_id)
    assert {one["documentId"] for one in await search(system, folder_id, "heating")} == set(ids.values())
    data_of(await system.client.delete(f"/v1/documents/{ids['a.md']}"))
    data_of(await system.client.delete(f"/v1/folders/{folder_id}/files/{ids['b.md']}"))
    assert [one["documentId"] for one in await search(system, folder_id, "heating")] == [ids["c.md"]]
    assert data_of(await system.client.get(f"/v1/documents/{ids['b.md']}/status")) == "DONE"
    job = await reindexed(system, folder_id)
    assert job["metadata"]["filesProcessed"] == 1


async def test_the_text_of_a_removed_document_is_found_nowhere_and_the_others_stay(system: System) -> None:
    """In the upload, the extraction, the index and its table."""
    folder_id = await folder(system)
    canary, other = f"canary{uuid4().hex}", f"other{uuid4().hex}"
    document = await upload(system, "song.md", f"The {canary} sings.".encode(), folder_id)
    await upload(system, "other.md", f"The {other} is silent.".encode(), folder_id)
    await reindexed(system, folder_id)
    before = await found_in(system, canary)
    assert any("/index/" in place for place in before)
    assert any("read_v1.chunks" in place for place in before)
    assert not any("piperoll." in place for place in before), "the log never had it"
    data_of(await system.client.delete(f"/v1/documents/{document['documentId']}"))
    await until_gone(system, canary)
    assert await found_in(system, other)
    report = await system.verify()
    assert not report.violations, report.violations


async def test_another_chunk_size_gives_other_chunks(system: System) -> None:
    folder_id = await folder(system, chunkSize=4000)
    text = " ".join(f"Sentence number {number} describes rivers." for number in range(40))
    await upload(system, "rivers.txt", text.encode(), folder_id)
    await reindexed(system, folder_id)
    assert len(await search(system, folder_id, "rivers", limit=100)) == 1
    data_of(await system.client.put(f"/v1/folders/{folder_id}", json={"chunkSize": 200}))
    [newest, _] = data_of(await system.client.get("/v1/jobs", params={"targetId": folder_id}))
    assert (await ended(system, newest))["metadata"]["chunkSize"] == 200
    assert len(await search(system, folder_id, "rivers", limit=100)) > 5


async def test_an_unsupported_file_has_an_error_and_can_be_retried(system: System) -> None:
    reply = await system.client.post("/v1/documents?wait=60", files={"file": ("data.xyz", b"\x00\x01\x02")})
    error = refused(reply, 400, "EXTRACTION_FAILED")
    assert error["details"]["code"] == "UNSUPPORTED_FILE_TYPE"
    path = f"/v1/documents/{error['details']['documentId']}"
    assert data_of(await system.client.get(f"{path}/status")) == "ERROR"
    assert data_of(await system.client.get(path))["error"] == error["message"]
    job = await ended(system, data_of(await system.client.post(f"{path}/reextract"), 202))
    assert (job["type"], job["status"], job["error"]) == ("EXTRACTION", "ERROR", error["message"])


async def test_a_job_and_the_members_of_a_batch_read_a_document_by_its_id(system: System) -> None:
    document = await upload(system, "notes.md", b"# Notes\n\nThe importer ships on Friday.")
    about = {"document_id": document["documentId"]}
    alone = await system.wait_for_end(await system.create("extraction", **about, force_refresh=True))
    assert "importer" in alone["results"]["structured_data"]["extracted_text"]
    jobs = [{"job_type": "extraction", "parameters": {**about, "use_cache": False}}] * 2
    batch = await system.post("/api/jobs/batch", {"jobs": jobs})
    for job in await system.wait_for_all(batch["job_ids"]):
        assert job["status"] == "completed", job.get("error")
        assert job["target_id"] == document["documentId"]


async def test_a_file_that_is_too_large_is_refused(system: System) -> None:
    reply = await system.client.post("/v1/documents", files={"file": ("large.txt", b"x" * (LIMIT_BYTES + 1))})
    assert refused(reply, 413, "BODY_TOO_LARGE")["details"] == {"limit_bytes": LIMIT_BYTES}


async def test_another_owner_cannot_see_documents_and_folders(system: System) -> None:
    folder_id = await folder(system)
    document = (await upload(system, "own.md", b"Own.", folder_id))["documentId"]
    headers = {"Authorization": f"Bearer {await system.create_key(f'stranger-{uuid4().hex[:8]}')}"}
    for method, path in (
        ("GET", f"/v1/documents/{document}"),
        ("GET", f"/v1/documents/{document}/status"),
        ("DELETE", f"/v1/documents/{document}"),
        ("POST", f"/v1/documents/{document}/reextract"),
        ("GET", f"/v1/folders/{folder_id}"),
        ("GET", f"/v1/folders/{folder_id}/files"),
        ("DELETE", f"/v1/folders/{folder_id}/files/{document}"),
        ("POST", f"/v1/folders/{folder_id}/reindex"),
        ("GET", f"/v1/folders/{folder_id}/search?q=own"),
        ("DELETE", f"/v1/folders/{folder_id}"),
    ):
        refused(await system.client.request(method, path, headers=headers), 404, "NOT_FOUND")
    assert data_of(await system.client.get("/v1/folders", headers=headers)) == []
    assert data_of(await system.client.get(f"/v1/documents/{document}/status")) == "DONE"


async def test_the_read_model_equals_the_log(system: System) -> None:
    report = await system.verify()
    assert report.violations == []
