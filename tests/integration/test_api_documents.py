"""Documents, folders and search over a real Kafka, a real Postgres and a real projector; the worker is the test."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from piperoll import keys
from piperoll.embeddings import Remote, embedder_of
from piperoll.settings import Settings
from schemas.documents import FolderIndex, IndexedChunk
from schemas.events import JobCompleted, JobFailed, JobStarted
from schemas.ids import draw_run
from schemas.parameters.embedding import LOCAL_MODEL, MISTRAL_MODEL
from tests.support.api import Api, refused, serving, without_projector
from tests.support.waiting import wait_until

Json = dict[str, Any]
NOTE = ("note.md", b"# A note\n\nThe heat pump is serviced in May.")
NOBODY = f"doc-{uuid4()}"
NOWHERE = f"folder-{uuid4()}"


@pytest.fixture(scope="module")
async def api(environment: dict[str, str]) -> AsyncIterator[Api]:
    """The API with a projector of its own, and little patience."""
    more = {"PIPEROLL_RATE_LIMIT": "100000", "PIPEROLL_DOCUMENT_WAIT_S": "0.2"}
    async with serving({**environment, **more}) as serving_api:
        yield serving_api


@pytest.fixture(scope="module")
async def stranger(api: Api, pool: asyncpg.Pool, settings: Settings) -> dict[str, str]:
    """The headers of another owner."""
    _, key = await keys.create(pool, settings.key_pepper.get_secret_value(), f"stranger-{uuid4().hex[:8]}")
    return {"Authorization": f"Bearer {key}"}


def told(reply: httpx.Response, status: int = 200) -> Any:
    assert reply.status_code == status, reply.text
    assert reply.json().keys() == {"success", "data"}
    assert reply.json()["success"] is True
    return reply.json()["data"]


async def upload(api: Api, file: tuple[str, bytes] = NOTE, **data: str) -> Json:
    """Takes a document in without waiting for its reading: documentId, status, jobId."""
    return dict(told(await api.client.post("/v1/documents?wait=0", files={"file": file}, data=data), 202))


async def parameters_of(api: Api, job_id: str, pool: asyncpg.Pool) -> Json:
    """The parameters document of a job."""
    await api.job(job_id)
    uri = await pool.fetchval("SELECT state -> 'parameters' ->> 'uri' FROM read_v1.jobs WHERE job_id = $1", job_id)
    return dict(json.loads(api.blobs.get(uri)))


async def read(api: Api, job_id: str, text: str, number: int = 1) -> None:
    """What an extraction does."""
    run, words = draw_run(), len(text.split())
    metadata = {"words": words, "text_contents": [{"page": 1, "content": text}], "extractionMethod": "markdown"}
    result = {"structured_data": {"extracted_text": text, "title": "A note", "metadata": metadata}, "assets": []}
    claim = api.blobs.put(f"{job_id}/{run}", json.dumps(result).encode())
    completed = JobCompleted(run=run, result=claim, counts={"words": words}, method="markdown")
    await api.happen(job_id, JobStarted(number=number, run=run, worker="w"), completed)


async def failed(api: Api, job_id: str) -> None:
    run = draw_run()
    details = api.blobs.put(
        f"{job_id}/{run}", json.dumps({"message": "Files of type .xyz are not supported."}).encode()
    )
    event = JobFailed(run=run, error_code="UNSUPPORTED_FILE_TYPE", details=details)
    await api.happen(job_id, JobStarted(number=1, run=run, worker="w"), event)


async def indexed(api: Api, job_id: str, folder_id: str, texts: dict[str, str]) -> None:
    """What an embedding does: one chunk for each text."""
    embedder = embedder_of(LOCAL_MODEL, Remote())
    vectors = await asyncio.to_thread(embedder.embed, list(texts.values()))
    chunks = [
        IndexedChunk(document_id=document_id, number=0, text=text, vector=tuple(vector))
        for (document_id, text), vector in zip(texts.items(), vectors, strict=True)
    ]
    index = FolderIndex(folder_id=folder_id, model=embedder.model, dimensions=embedder.dimensions, chunks=tuple(chunks))
    await loaded(api, job_id, index)


async def loaded(api: Api, job_id: str, index: FolderIndex) -> None:
    """The end of an embedding."""
    run = draw_run()
    result = api.blobs.put(f"{job_id}/{run}", b'{"structured_data": {}, "assets": []}')
    claim = api.blobs.put(f"{job_id}/{run}", index.model_dump_json().encode())
    started = JobStarted(number=1, run=run, worker="w")
    await api.happen(job_id, started, JobCompleted(run=run, result=result, index=claim, method=index.model))
    await ends(api, job_id)


async def ends(api: Api, job_id: str) -> None:
    async def ended() -> bool:
        return (await api.job(job_id))["status"] in ("completed", "failed")

    await wait_until(ended, 10, f"{job_id} to end")


async def folder(api: Api, **body: Any) -> Json:
    return dict(told(await api.client.post("/v1/folders", json={"name": "Documentation", **body})))


# --- documents --------------------------------------------------------------------------------------------------


async def test_an_upload_waits_for_its_text_and_answers_it(api: Api, pool: asyncpg.Pool) -> None:
    posted = asyncio.create_task(api.client.post("/v1/documents?wait=20", files={"file": NOTE}))

    async def known() -> str | None:
        found = "SELECT job_id FROM read_v1.jobs WHERE job_type = 'extraction' AND status = 'pending'"
        return await pool.fetchval(found)  # type: ignore[no-any-return]

    job_id = await wait_until(known, 10, "the job")
    assert job_id is not None
    text = NOTE[1].decode()
    await read(api, job_id, text)
    data = told(await posted)
    assert (data["status"], data["title"], data["content"], data["totalWords"]) == ("DONE", "A note", text, 10)
    assert data["pages"] == [{"pageNumber": 1, "text": text}]
    assert data["metadata"] == {
        "fileName": "note.md",
        "mimetype": "text/markdown",
        "size": len(NOTE[1]),
        "extractionMethod": "markdown",
    }
    path = f"/v1/documents/{data['documentId']}"
    assert told(await api.client.get(path)) == data
    assert told(await api.client.get(f"{path}/status")) == "DONE"
    listed = told(await api.client.get("/v1/documents"))
    about = {"id": data["documentId"], "name": "note.md", "size": len(NOTE[1]), "mimetype": "text/markdown"}
    assert {**about, "status": "DONE", "createdAt": data["createdAt"]} in listed
    document = await parameters_of(api, job_id, pool)
    assert document["parameters"] == {"document_id": data["documentId"]}
    assert api.blobs.get(document["resolved"]["content"]["uri"]) == NOTE[1]


async def test_a_plain_text_is_also_told_as_its_clients_know_it(api: Api) -> None:
    taken = await upload(api, ("plain.txt", b"Two words"))
    await read(api, taken["jobId"], "Two words")
    await ends(api, taken["jobId"])
    data = told(await api.client.get(f"/v1/documents/{taken['documentId']}"))
    assert (data["text"], data["words"], data["metadata"]["size"]) == ("Two words", 2, 9)


async def test_a_document_that_is_not_read_in_time_is_a_408_that_names_it(api: Api) -> None:
    reply = await api.client.post("/v1/documents", files={"file": NOTE})
    refused(reply, 408, "EXTRACTION_TIMEOUT")
    assert reply.json()["success"] is False
    details = reply.json()["error"]["details"]
    assert details["status"] == "IN_PROGRESS"
    assert told(await api.client.get(f"/v1/documents/{details['documentId']}/status")) == "PENDING"


async def test_a_document_that_cannot_be_read_says_why(api: Api, pool: asyncpg.Pool) -> None:
    taken = await upload(api, ("data.xyz", b"?"))
    again = asyncio.create_task(
        api.client.post("/v1/documents?wait=20", files={"file": ("data.xyz", b"?")}, headers={"Idempotency-Key": "xyz"})
    )
    await failed(api, taken["jobId"])
    await ends(api, taken["jobId"])
    path = f"/v1/documents/{taken['documentId']}"
    data = told(await api.client.get(path))
    assert (data["status"], data["error"]) == ("ERROR", "Files of type .xyz are not supported.")
    assert "content" not in data

    async def other() -> str | None:
        found = "SELECT job_id FROM read_v1.jobs WHERE job_type = 'extraction' AND status = 'pending' AND job_id <> $1"
        for row in await pool.fetch(found, taken["jobId"]):
            if (await parameters_of(api, row["job_id"], pool))["resolved"]["name"] == "data.xyz":
                return str(row["job_id"])
        return None

    job_id = await wait_until(other, 10, "the second job")
    assert job_id is not None
    await failed(api, job_id)
    reply = await again
    refused(reply, 400, "EXTRACTION_FAILED")
    assert reply.json()["error"]["details"]["code"] == "UNSUPPORTED_FILE_TYPE"


async def test_an_upload_is_accepted_while_the_projector_is_away(api: Api) -> None:
    async with without_projector(api):
        taken = told(await api.client.post("/v1/documents?wait=5", files={"file": NOTE}), 202)
        refused(await api.client.get(f"/v1/documents/{taken['documentId']}"), 503, "READ_MODEL_UNAVAILABLE")
        job = {"job_type": "extraction", "parameters": {"document_id": taken["documentId"]}}
        refused(await api.client.post("/api/jobs", json=job), 503, "READ_MODEL_UNAVAILABLE")

    async def read() -> httpx.Response | None:
        reply = await api.client.get(f"/v1/documents/{taken['documentId']}/status")
        return reply if reply.status_code == 200 else None

    reply = await wait_until(read, 20, "the projector to catch up")
    assert reply is not None
    assert told(reply) == "PENDING"


async def test_the_same_key_and_form_are_the_same_document(api: Api) -> None:
    async def post(file: tuple[str, bytes]) -> httpx.Response:
        headers = {"Idempotency-Key": "upload-1"}
        return await api.client.post("/v1/documents?wait=0", files={"file": file}, headers=headers)

    first = told(await post(NOTE), 202)
    assert told(await post(NOTE), 202) == first
    refused(await post(("note.md", b"# Another")), 422, "IDEMPOTENCY_CONFLICT")
    assert told(await api.client.get(f"/v1/documents/{first['documentId']}/status")) == "PENDING"


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"data": {"folderId": NOWHERE}}, 400, "INVALID_REQUEST"),
        ({"files": {"document": NOTE}}, 400, "INVALID_REQUEST"),
        ({"files": {"file": ("empty.md", b"")}}, 400, "INVALID_REQUEST"),
        ({"files": {"file": NOTE}, "data": {"folder": "x"}}, 400, "INVALID_REQUEST"),
        ({"files": {"file": NOTE}, "data": {"folderId": NOWHERE}}, 404, "NOT_FOUND"),
        ({"files": {"file": NOTE}, "data": {"folderId": "folder"}}, 404, "NOT_FOUND"),
        ({"json": {"file": "x"}}, 400, "INVALID_REQUEST"),
        ({"files": {"file": NOTE}, "params": {"wait": "long"}}, 400, "INVALID_PARAMETERS"),
        ({"files": {"file": NOTE}, "params": {"until": "1"}}, 400, "INVALID_REQUEST"),
    ],
)
async def test_a_form_that_cannot_be_taken_in_says_why(api: Api, form: Json, status: int, code: str) -> None:
    reply = await api.client.post("/v1/documents", **form)
    refused(reply, status, code)
    assert reply.json()["success"] is False


async def test_a_removed_document_is_gone_with_its_content_and_its_jobs(api: Api, stranger: dict[str, str]) -> None:
    taken = await upload(api)
    await read(api, taken["jobId"], "Text")
    await ends(api, taken["jobId"])
    path = f"/v1/documents/{taken['documentId']}"
    for method in ("GET", "DELETE"):
        refused(await api.client.request(method, path, headers=stranger), 404, "NOT_FOUND")
    assert told(await api.client.delete(path))["id"] == taken["documentId"]
    for method, at in (("GET", path), ("GET", f"{path}/status"), ("DELETE", path)):
        refused(await api.client.request(method, at), 404, "NOT_FOUND")
    refused(await api.client.get(f"/api/jobs/{taken['jobId']}"), 404, "NOT_FOUND")
    assert list(api.blobs.list(f"documents/{taken['documentId']}")) == []
    refused(await api.client.post(f"{path}/reextract"), 404, "NOT_FOUND")


# --- again ------------------------------------------------------------------------------------------------------


async def test_a_document_is_read_again_unless_it_is_being_read(api: Api, pool: asyncpg.Pool) -> None:
    taken = await upload(api)
    path = f"/v1/documents/{taken['documentId']}/reextract"
    refused(await api.client.post(path), 409, "CONFLICT")
    await failed(api, taken["jobId"])
    job = told(await api.client.post(path), 202)
    assert (job["type"], job["status"], job["targetId"]) == ("EXTRACTION", "PENDING", taken["documentId"])
    assert job["metadata"] == {"fileName": "note.md", "fileSize": len(NOTE[1]), "mimeType": "text/markdown"}
    assert (await parameters_of(api, job["id"], pool))["parameters"]["force_refresh"] is True
    refused(await api.client.post(path), 409, "CONFLICT")
    assert told(await api.client.get(f"/v1/documents/{taken['documentId']}/status")) == "PENDING"
    await read(api, job["id"], "Now it is read.")
    await ends(api, job["id"])
    assert told(await api.client.get(f"/v1/documents/{taken['documentId']}"))["content"] == "Now it is read."


@pytest.mark.parametrize("named", [True, False])
async def test_a_job_that_is_about_something_else_is_done_again_by_its_target(
    api: Api, stranger: dict[str, str], named: bool
) -> None:
    target = {"target_id": f"own-{uuid4().hex}"} if named else {}
    file = "upload://file-00000000-0000-4000-8000-000000000000/a.pdf"
    job_id = await api.create({"job_type": "pdf", "parameters": {"filename": file, **target}})
    about = target.get("target_id", job_id)
    path = f"/v1/documents/{about}/reextract"
    refused(await api.client.post(path), 409, "CONFLICT")
    await failed(api, job_id)
    refused(await api.client.post(path, headers=stranger), 404, "NOT_FOUND")
    refused(await api.client.post(f"/v1/folders/{about}/reindex"), 404, "NOT_FOUND")
    job = told(await api.client.post(path), 202)
    assert (job["targetId"], job["type"], job["metadata"]["fileName"]) == (about, "EXTRACTION", "a.pdf")
    assert (await api.job(job["id"]))["retry_of"] == job_id
    refused(await api.client.post(path), 409, "CONFLICT")


@pytest.mark.parametrize("about", [NOBODY, NOWHERE, "anything", f"job-{uuid4()}", "%00"])
async def test_what_is_known_neither_as_document_nor_as_folder_nor_as_a_target_is_not_found(
    api: Api, about: str
) -> None:
    refused(await api.client.post(f"/v1/documents/{about}/reextract"), 404, "NOT_FOUND")
    refused(await api.client.post(f"/v1/folders/{about}/reindex"), 404, "NOT_FOUND")


# --- folders ----------------------------------------------------------------------------------------------------


async def test_a_folder_is_made_listed_changed_and_removed(api: Api, stranger: dict[str, str]) -> None:
    made = await folder(api, description="What we know", chunkSize=300)
    path = f"/v1/folders/{made['id']}"
    assert (made["name"], made["description"], made["chunkSize"], made["words"]) == (
        "Documentation",
        "What we know",
        300,
        0,
    )
    assert told(await api.client.get(path)) == made
    listed = told(await api.client.get("/v1/folders"))
    assert {"status": "fulfilled", "value": made} in listed
    assert told(await api.client.get("/v1/folders", headers=stranger)) == []
    changed = told(await api.client.put(path, json={"name": "Knowledge", "description": None}))
    assert changed == {key: value for key, value in made.items() if key != "description"} | {
        "name": "Knowledge",
        "updatedAt": changed["updatedAt"],
    }
    assert told(await api.client.put(path, json={})) == changed
    for method in ("GET", "PUT", "DELETE"):
        refused(await api.client.request(method, path, json={}, headers=stranger), 404, "NOT_FOUND")
    told(await api.client.delete(path))
    for method in ("GET", "PUT", "DELETE"):
        refused(await api.client.request(method, path, json={}), 404, "NOT_FOUND")


async def test_another_chunk_size_has_the_folder_indexed_anew(api: Api, pool: asyncpg.Pool) -> None:
    made = await folder(api)
    changed = told(await api.client.put(f"/v1/folders/{made['id']}", json={"chunkSize": 800}))
    assert changed["chunkSize"] == 800
    [job] = told(await api.client.get("/v1/jobs", params={"targetId": made["id"]}))
    assert (job["type"], job["status"]) == ("EMBEDDING", "PENDING")
    assert (await parameters_of(api, job["id"], pool))["resolved"]["chunk_size"] == 800


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": 5}, "name"),
        ({"name": "N", "chunkSize": 49}, "chunkSize"),
        ({"name": "N", "chunkSize": "500"}, "chunkSize"),
        ({"name": "N", "chunk_size": 500}, "chunk_size"),
    ],
)
async def test_a_folder_that_cannot_be_made_names_the_field(api: Api, body: Json, field: str) -> None:
    reply = await api.client.post("/v1/folders", json=body)
    refused(reply, 400, "INVALID_PARAMETERS")
    assert [one["field"] for one in reply.json()["error"]["details"]["fields"]] == [field]


async def test_documents_come_into_a_folder_and_leave_it(api: Api, stranger: dict[str, str]) -> None:
    made = await folder(api)
    path = f"/v1/folders/{made['id']}/files"
    first, second = await upload(api, folderId=made["id"]), await upload(api, ("b.txt", b"B"))
    ids = [first["documentId"], second["documentId"]]
    assert told(await api.client.post(path, json={"filesIds": [ids[1], ids[1]]})) == [ids[1]]
    assert told(await api.client.get(path)) == [
        {"id": ids[0], "name": "note.md", "size": len(NOTE[1]), "mimetype": "text/markdown"},
        {"id": ids[1], "name": "b.txt", "size": 1, "mimetype": "text/plain"},
    ]
    await read(api, first["jobId"], "Three words here")
    await ends(api, first["jobId"])
    assert told(await api.client.get(f"/v1/folders/{made['id']}"))["words"] == 3
    for wrong in ([NOBODY], ["x"], [ids[0], NOBODY]):
        reply = await api.client.post(path, json={"filesIds": wrong})
        refused(reply, 404, "NOT_FOUND")
        assert reply.json()["error"]["details"]["missing"] == [wrong[-1]]
    refused(await api.client.post(path, json={"filesIds": []}), 400, "INVALID_PARAMETERS")
    foreign = await api.client.post("/v1/folders", json={"name": "Mine"}, headers=stranger)
    own = f"/v1/folders/{told(foreign)['id']}/files"
    refused(await api.client.post(own, json={"filesIds": ids}, headers=stranger), 404, "NOT_FOUND")
    told(await api.client.delete(f"{path}/{ids[0]}"))
    refused(await api.client.delete(f"{path}/{ids[0]}"), 404, "NOT_FOUND")
    told(await api.client.delete(f"/v1/documents/{ids[1]}"))
    assert told(await api.client.get(path)) == []


# --- search -----------------------------------------------------------------------------------------------------


async def test_a_search_finds_the_nearest_chunks_of_what_is_in_the_folder(
    api: Api, pool: asyncpg.Pool, stranger: dict[str, str]
) -> None:
    made = await folder(api)
    path = f"/v1/folders/{made['id']}"
    texts = {
        "pump.md": "The heat pump in the cellar is serviced every year in May.",
        "cat.md": "Our neighbour's cat sleeps on the warm roof of the car.",
        "tax.md": "The tax return must be handed in before the end of July.",
    }
    taken = {name: await upload(api, (name, text.encode()), folderId=made["id"]) for name, text in texts.items()}
    refused(await api.client.get(f"{path}/search", params={"q": "heating"}), 409, "CONFLICT")
    for name in ("pump.md", "cat.md"):
        await read(api, taken[name]["jobId"], texts[name])
    job = told(await api.client.post(f"{path}/reindex"), 202)
    assert (job["type"], job["targetId"], job["metadata"]["folderName"]) == ("EMBEDDING", made["id"], "Documentation")
    refused(await api.client.post(f"{path}/reindex"), 409, "CONFLICT")
    resolved = (await parameters_of(api, job["id"], pool))["resolved"]
    assert [one["name"] for one in resolved["documents"]] == ["pump.md", "cat.md"]
    assert resolved["pending"] == 1
    ids = {name: one["documentId"] for name, one in taken.items()}
    await indexed(api, job["id"], made["id"], {ids[name]: text for name, text in texts.items()})

    async def search(query: str, **more: Any) -> list[Json]:
        return list(told(await api.client.get(f"{path}/search", params={"q": query, **more})))

    found = await search("Who looks after the heating?")
    assert found[0] == {
        "documentId": ids["pump.md"],
        "chunk": 0,
        "text": texts["pump.md"],
        "score": found[0]["score"],
    }
    assert [one["score"] for one in found] == sorted((one["score"] for one in found), reverse=True)
    assert len(found) == 3
    assert len(await search("a pet", limit=1)) == 1
    refused(await api.client.get(f"{path}/search", params={"q": "x"}, headers=stranger), 404, "NOT_FOUND")
    told(await api.client.delete(f"{path}/files/{ids['tax.md']}"))
    told(await api.client.delete(f"/v1/documents/{ids['pump.md']}"))
    assert [one["documentId"] for one in await search("heating")] == [ids["cat.md"]]


async def test_a_search_whose_model_cannot_be_asked_says_so(api: Api) -> None:
    made = await folder(api)
    job = told(await api.client.post(f"/v1/folders/{made['id']}/reindex"), 202)
    chunk = IndexedChunk(document_id=NOBODY, number=0, text="Text", vector=(1.0,) * 1024)
    index = FolderIndex(folder_id=made["id"], model=MISTRAL_MODEL, dimensions=1024, chunks=(chunk,))
    await loaded(api, job["id"], index)
    reply = await api.client.get(f"/v1/folders/{made['id']}/search", params={"q": "text"})
    refused(reply, 503, "PROVIDER_ERROR")
    assert "MISTRAL_API_KEY" in reply.json()["error"]["message"]
    assert "Retry-After" in reply.headers


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "INVALID_PARAMETERS"),
        ({"q": " "}, "INVALID_PARAMETERS"),
        ({"q": "x" * 2001}, "INVALID_PARAMETERS"),
        ({"q": "x", "limit": "0"}, "INVALID_PARAMETERS"),
        ({"q": "x", "limit": "101"}, "INVALID_PARAMETERS"),
        ({"q": "x", "limit": "ten"}, "INVALID_PARAMETERS"),
        ({"q": "x", "k": "1"}, "INVALID_REQUEST"),
    ],
)
async def test_a_search_that_makes_no_sense_says_why(api: Api, query: Json, code: str) -> None:
    refused(await api.client.get(f"/v1/folders/{NOWHERE}/search", params=query), 400, code)


# --- jobs that name documents --------------------------------------------------------------------------------------


async def test_jobs_are_told_what_they_name(api: Api, pool: asyncpg.Pool, settings: Settings) -> None:
    made = await folder(api)
    taken = await upload(api, folderId=made["id"])
    generation = {"job_type": "generation", "parameters": {"document_id": taken["documentId"], "prompt": "Sum it up."}}
    before = (await parameters_of(api, await api.create(generation), pool))["resolved"]
    assert "text" not in before
    await read(api, taken["jobId"], "Text")
    await ends(api, taken["jobId"])
    job_id = await api.create(generation)
    after = (await parameters_of(api, job_id, pool))["resolved"]
    assert json.loads(api.blobs.get(after["text"]["uri"]))["structured_data"]["extracted_text"] == "Text"
    assert (await api.job(job_id))["target_id"] == taken["documentId"]
    again = await api.client.post("/v1/documents/" + taken["documentId"] + "/reextract")
    assert again.status_code == 202, "a generation about a document is no reading of it"


async def test_members_of_a_batch_are_told_too_and_the_wrong_one_is_named(api: Api, pool: asyncpg.Pool) -> None:
    taken = await upload(api)
    right = {"job_type": "extraction", "parameters": {"document_id": taken["documentId"]}}
    batch = (await api.client.post("/api/jobs/batch", json={"jobs": [right, right]})).json()["data"]["batch_id"]
    uri = await pool_uri(api, pool, batch)
    assert {spec["resolved"]["document_id"] for spec in json.loads(api.blobs.get(uri))} == {taken["documentId"]}
    wrong = {"job_type": "embedding", "parameters": {"folder_id": NOWHERE}}
    reply = await api.client.post("/api/jobs/batch", json={"jobs": [right, wrong]})
    refused(reply, 400, "INVALID_PARAMETERS")
    assert reply.json()["error"]["details"]["index"] == 1


async def pool_uri(api: Api, pool: asyncpg.Pool, batch_id: str) -> str:
    assert (await api.client.get(f"/api/jobs/batch/{batch_id}")).status_code == 200
    found = await pool.fetchval("SELECT state -> 'specs' ->> 'uri' FROM read_v1.batches WHERE batch_id = $1", batch_id)
    return str(found)


@pytest.mark.parametrize(
    ("job_type", "parameters", "field"),
    [
        ("extraction", {"document_id": NOBODY}, "document_id"),
        ("transcription", {"document_id": NOBODY}, "document_id"),
        ("generation", {"document_id": NOBODY, "prompt": "Sum it up."}, "document_id"),
        ("embedding", {"folder_id": NOWHERE}, "folder_id"),
        ("import", {"folder_id": NOWHERE, "items": [{"url": "https://example.com/a.pdf"}]}, "folder_id"),
    ],
)
async def test_a_job_that_names_what_there_is_not_is_refused_by_the_field(
    api: Api, job_type: str, parameters: Json, field: str
) -> None:
    reply = await api.client.post("/api/jobs", json={"job_type": job_type, "parameters": parameters})
    refused(reply, 400, "INVALID_PARAMETERS")
    assert [one["field"] for one in reply.json()["error"]["details"]["fields"]] == [field]


async def test_somebody_else_s_document_is_none(api: Api, stranger: dict[str, str]) -> None:
    taken = await upload(api)
    job = {"job_type": "extraction", "parameters": {"document_id": taken["documentId"]}}
    refused(await api.client.post("/api/jobs", json=job, headers=stranger), 400, "INVALID_PARAMETERS")
