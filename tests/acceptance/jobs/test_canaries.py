"""A canary of each kind of content is stored, erased, and then searched for in everything that the system keeps."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from schemas.events import DocumentRemoved, FolderRemoved
from schemas.topics import DOCUMENT_EVENTS
from tests.support.files.pdf import long_pdf
from tests.support.stacks.system import System
from tests.support.stacks.traces import blobs_of, found_in, until_gone
from tests.support.waiting import PATIENCE_S, wait_until

Erase = Callable[[], Awaitable[None]]
Plant = Callable[[System, str], Awaitable[Erase]]


async def call(system: System, method: str, path: str, *statuses: int, **more: Any) -> Any:
    reply = await system.client.request(method, path, **more)
    assert reply.status_code in (statuses or (200,)), reply.text
    return reply.json()["data"]


def deletion(system: System, path: str) -> Erase:
    async def erase() -> None:
        await call(system, "DELETE", path, 200, 202)

    return erase


def text_file(canary: str, name: str = "note.txt") -> dict[str, tuple[str, bytes]]:
    return {"file": (name, f"The heat pump is serviced in May. {canary}".encode())}


async def parameters(system: System, canary: str) -> Erase:
    """In a segment."""
    job_id = await system.create(error_code=canary)
    await system.wait_for_end(job_id)
    assert any("/segments/" in place for place in await found_in(system, canary))
    return deletion(system, f"/api/jobs/{job_id}")


async def result(system: System, canary: str) -> Erase:
    path = system.files / f"{uuid4().hex}.txt"
    path.write_text(canary)
    job_id = await system.create("extraction", filename=str(path))
    assert (await system.wait_for_end(job_id))["status"] == "completed"
    path.unlink()
    assert any("result.json" in place for place in await found_in(system, canary))
    return deletion(system, f"/api/jobs/{job_id}")


async def upload(system: System, canary: str) -> Erase:
    """Its content and its name."""
    kept = await call(system, "POST", "/api/files", files=text_file(canary, f"{canary}.txt"))
    job_id = await system.create("extraction", filename=kept["filename"])
    await system.wait_for_end(job_id)
    assert any("/uploads/" in place for place in await found_in(system, canary))
    return deletion(system, f"/api/jobs/{job_id}")


async def batch(system: System, canary: str) -> Erase:
    jobs = [{"job_type": "noop", "parameters": {"error_code": canary}}]
    made = (await system.post("/api/jobs/batch", {"batch_name": canary, "jobs": jobs}))["batch"]
    await system.wait_for_all([one["job_id"] for one in made["jobs"]])
    return deletion(system, f"/api/jobs/batch/{made['batch_id']}")


async def document(system: System, canary: str) -> Erase:
    """Its content, its name and its text."""
    added = await call(system, "POST", "/v1/documents", files=text_file(canary, f"{canary}.txt"))
    assert any("/documents/" in place for place in await found_in(system, canary))
    return deletion(system, f"/v1/documents/{added['documentId']}")


async def folder(system: System, canary: str) -> Erase:
    made = await call(system, "POST", "/v1/folders", json={"name": canary, "description": canary})
    await call(system, "PUT", f"/v1/folders/{made['id']}", json={"name": f"{canary} again"})
    assert any("/folders/" in place for place in await found_in(system, canary))
    return deletion(system, f"/v1/folders/{made['id']}")


async def index(system: System, canary: str) -> Erase:
    """A document's text in the index of a folder, in blobs and in the table of chunks."""
    made = await call(system, "POST", "/v1/folders", json={"name": "Index"})
    form = {"folderId": made["id"]}
    added = await call(system, "POST", "/v1/documents", files=text_file(canary), data=form)
    job = await call(system, "POST", f"/v1/folders/{made['id']}/reindex", 202)
    assert (await system.wait_for_end(job["id"]))["status"] == "completed"
    assert any("/index/" in place for place in await found_in(system, canary))
    return deletion(system, f"/v1/documents/{added['documentId']}")


async def pages(system: System, canary: str) -> Erase:
    """In the records of finished pages, while the job runs."""
    path = system.files / f"{uuid4().hex}.pdf"
    long_pdf(path, canary, least_s=15)
    job_id = await system.create("pdf", filename=str(path), use_cache=False)

    async def readable() -> bool:
        return bool((await call(system, "GET", f"/api/jobs/{job_id}/pages"))["pages"])

    await wait_until(readable, PATIENCE_S, "pages to be readable")
    assert any("/pages/" in place for place, content in blobs_of(system) if canary.encode() in content)
    path.unlink()
    return deletion(system, f"/api/jobs/{job_id}")


KINDS: list[Plant] = [parameters, result, upload, batch, document, folder, index, pages]


@pytest.mark.parametrize("plant", KINDS, ids=[plant.__name__ for plant in KINDS])
async def test_a_canary_is_nowhere_after_its_erasure(system: System, plant: Plant) -> None:
    canary = f"canary-{uuid4().hex}"
    erase = await plant(system, canary)
    await erase()
    await until_gone(system, canary)


async def test_a_removal_is_carried_out_if_its_request_died_after_the_fact(system: System) -> None:
    """With the text that jobs made of the document."""
    canary = f"canary-{uuid4().hex}"
    added = await call(system, "POST", "/v1/documents", files=text_file(canary))
    assert any("result.json" in place for place in await found_in(system, canary))
    made = await call(system, "POST", "/v1/folders", json={"name": canary})
    await system.append(added["documentId"], DocumentRemoved(by="local"), topic=DOCUMENT_EVENTS)
    await system.append(made["id"], FolderRemoved(by="local"), topic=DOCUMENT_EVENTS)
    await until_gone(system, canary)


async def test_the_same_removal_erases_the_jobs_that_have_the_document_as_their_target_alone(system: System) -> None:
    canary = f"canary-{uuid4().hex}"
    added = await call(system, "POST", "/v1/documents", files=text_file("nothing confidential"))
    stored = await call(system, "POST", "/api/files", files=text_file(canary))
    given = {"filename": stored["filename"], "target_id": added["documentId"]}
    one = {"job_type": "extraction", "parameters": given}
    job = await call(system, "POST", "/api/jobs/", json=one)
    batch = await call(system, "POST", "/api/jobs/batch", json={"jobs": [one, one]})
    await system.wait_for_all([job["job_id"], *batch["job_ids"]])
    await system.append(added["documentId"], DocumentRemoved(by="local"), topic=DOCUMENT_EVENTS)
    await until_gone(system, canary)


async def test_a_repeated_upload_after_the_removal_leaves_nothing(system: System) -> None:
    canary = f"canary-{uuid4().hex}"
    headers = {"Idempotency-Key": uuid4().hex}
    added = await call(system, "POST", "/v1/documents", files=text_file(canary), headers=headers)
    await deletion(system, f"/v1/documents/{added['documentId']}")()
    await until_gone(system, canary)
    await system.client.post("/v1/documents?wait=0", files=text_file(canary), headers=headers)
    await until_gone(system, canary)


async def test_a_removal_is_carried_out_by_the_next_worker(system: System) -> None:
    canary = f"canary-{uuid4().hex}"
    added = [await call(system, "POST", "/v1/documents", files=text_file(canary)) for _ in range(3)]
    for one in added:
        await system.append(one["documentId"], DocumentRemoved(by="local"), topic=DOCUMENT_EVENTS)
        await system.stack.kill("worker")
    await until_gone(system, canary)
