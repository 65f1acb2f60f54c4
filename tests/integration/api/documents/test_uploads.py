"""Uploads of documents over a real Kafka, Postgres and projector; the tests append the facts of the worker."""

import asyncio

import asyncpg
import httpx
import pytest

from tests.support.stacks.api import Api, refused, without_projector
from tests.support.stacks.document_api import (
    NOTE,
    UNKNOWN_FOLDER,
    Json,
    data_of,
    ends,
    failed,
    new_extraction,
    parameters_of,
    pending_extractions,
    read,
    upload,
)
from tests.support.waiting import wait_until


async def test_an_upload_waits_for_its_text_and_returns_it(api: Api, pool: asyncpg.Pool) -> None:
    before = await pending_extractions(pool)
    posted = asyncio.create_task(api.client.post("/v1/documents?wait=20", files={"file": NOTE}))
    job_id = await new_extraction(pool, before)
    text = NOTE[1].decode()
    await read(api, job_id, text)
    data = data_of(await posted)
    assert (data["status"], data["title"], data["content"], data["totalWords"]) == ("DONE", "A note", text, 10)
    assert data["pages"] == [{"pageNumber": 1, "text": text}]
    assert data["metadata"] == {
        "fileName": "note.md",
        "mimetype": "text/markdown",
        "size": len(NOTE[1]),
        "extractionMethod": "markdown",
    }
    path = f"/v1/documents/{data['documentId']}"
    assert data_of(await api.client.get(path)) == data
    assert data_of(await api.client.get(f"{path}/status")) == "DONE"
    listed = data_of(await api.client.get("/v1/documents"))
    about = {"id": data["documentId"], "name": "note.md", "size": len(NOTE[1]), "mimetype": "text/markdown"}
    assert {**about, "status": "DONE", "createdAt": data["createdAt"]} in listed
    document = await parameters_of(api, job_id, pool)
    assert document["parameters"] == {"document_id": data["documentId"]}
    assert api.blobs.get(document["resolved"]["content"]["uri"]) == NOTE[1]


async def test_a_plain_text_also_has_the_keys_of_the_text_endpoint(api: Api) -> None:
    taken = await upload(api, ("plain.txt", b"Two words"))
    await read(api, taken["jobId"], "Two words")
    await ends(api, taken["jobId"])
    data = data_of(await api.client.get(f"/v1/documents/{taken['documentId']}"))
    assert (data["text"], data["words"], data["metadata"]["size"]) == ("Two words", 2, 9)


async def test_an_extraction_that_takes_too_long_is_a_408_with_the_document_s_id(api: Api) -> None:
    reply = await api.client.post("/v1/documents", files={"file": NOTE})
    refused(reply, 408, "EXTRACTION_TIMEOUT")
    assert reply.json()["success"] is False
    details = reply.json()["error"]["details"]
    assert details["status"] == "IN_PROGRESS"
    assert data_of(await api.client.get(f"/v1/documents/{details['documentId']}/status")) == "PENDING"


async def test_a_document_that_cannot_be_read_has_an_error(api: Api, pool: asyncpg.Pool) -> None:
    taken = await upload(api, ("data.xyz", b"?"))
    before = {taken["jobId"], *await pending_extractions(pool)}
    again = asyncio.create_task(
        api.client.post("/v1/documents?wait=20", files={"file": ("data.xyz", b"?")}, headers={"Idempotency-Key": "xyz"})
    )
    await failed(api, taken["jobId"])
    await ends(api, taken["jobId"])
    path = f"/v1/documents/{taken['documentId']}"
    data = data_of(await api.client.get(path))
    assert (data["status"], data["error"]) == ("ERROR", "Files of type .xyz are not supported.")
    assert "content" not in data

    await failed(api, await new_extraction(pool, before))
    reply = await again
    refused(reply, 400, "EXTRACTION_FAILED")
    assert reply.json()["error"]["details"]["code"] == "UNSUPPORTED_FILE_TYPE"


async def test_an_upload_is_accepted_while_the_projector_is_down(api: Api) -> None:
    async with without_projector(api):
        taken = data_of(await api.client.post("/v1/documents?wait=5", files={"file": NOTE}), 202)
        refused(await api.client.get(f"/v1/documents/{taken['documentId']}"), 503, "READ_MODEL_UNAVAILABLE")
        job = {"job_type": "extraction", "parameters": {"document_id": taken["documentId"]}}
        refused(await api.client.post("/api/jobs", json=job), 503, "READ_MODEL_UNAVAILABLE")

    async def read() -> httpx.Response | None:
        reply = await api.client.get(f"/v1/documents/{taken['documentId']}/status")
        return reply if reply.status_code == 200 else None

    reply = await wait_until(read, 20, "the projector to catch up")
    assert reply is not None
    assert data_of(reply) == "PENDING"


async def test_the_same_idempotency_key_and_form_give_the_same_document(api: Api) -> None:
    async def post(file: tuple[str, bytes]) -> httpx.Response:
        headers = {"Idempotency-Key": "upload-1"}
        return await api.client.post("/v1/documents?wait=0", files={"file": file}, headers=headers)

    first = data_of(await post(NOTE), 202)
    assert data_of(await post(NOTE), 202) == first
    refused(await post(("note.md", b"# Another")), 422, "IDEMPOTENCY_CONFLICT")
    assert data_of(await api.client.get(f"/v1/documents/{first['documentId']}/status")) == "PENDING"


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"data": {"folderId": UNKNOWN_FOLDER}}, 400, "INVALID_REQUEST"),
        ({"files": {"document": NOTE}}, 400, "INVALID_REQUEST"),
        ({"files": {"file": ("empty.md", b"")}}, 400, "INVALID_REQUEST"),
        ({"files": {"file": NOTE}, "data": {"folder": "x"}}, 400, "INVALID_REQUEST"),
        ({"files": {"file": NOTE}, "data": {"folderId": UNKNOWN_FOLDER}}, 404, "NOT_FOUND"),
        ({"files": {"file": NOTE}, "data": {"folderId": "folder"}}, 404, "NOT_FOUND"),
        ({"json": {"file": "x"}}, 400, "INVALID_REQUEST"),
        ({"files": {"file": NOTE}, "params": {"wait": "long"}}, 400, "INVALID_PARAMETERS"),
        ({"files": {"file": NOTE}, "params": {"until": "1"}}, 400, "INVALID_REQUEST"),
    ],
)
async def test_an_invalid_form_is_refused(api: Api, form: Json, status: int, code: str) -> None:
    reply = await api.client.post("/v1/documents", **form)
    refused(reply, status, code)
    assert reply.json()["success"] is False


async def test_pages_are_drawn_on_demand_by_the_job_that_reads_a_document_now_or_again(
    api: Api, pool: asyncpg.Pool
) -> None:
    pdf = ("a.pdf", b"%PDF-1.7")
    drawn, plain = await upload(api, pdf, includeImages="true"), await upload(api, pdf)
    recorded = await upload(api, ("a.mp3", b"ID3"), includeImages="true")
    asked = [(await parameters_of(api, one["jobId"], pool))["parameters"] for one in (drawn, plain, recorded)]
    assert [parameters.get("include_images") for parameters in asked] == [True, None, None]
    await read(api, plain["jobId"], "Text")
    await ends(api, plain["jobId"])
    path = f"/v1/documents/{plain['documentId']}/reextract"
    again = data_of(await api.client.post(path, params={"includeImages": "true"}), 202)
    assert (await parameters_of(api, again["id"], pool))["parameters"]["include_images"] is True
    form = {"includeImages": "perhaps"}
    refused(await api.client.post("/v1/documents", files={"file": pdf}, data=form), 400, "INVALID_PARAMETERS")


async def test_a_key_for_an_upload_with_pictures_is_not_one_without_them(api: Api) -> None:
    key = {"Idempotency-Key": "pictures"}
    form = {"includeImages": "true"}
    first = await api.client.post("/v1/documents?wait=0", files={"file": NOTE}, data=form, headers=key)
    again = await api.client.post("/v1/documents?wait=0", files={"file": NOTE}, data=form, headers=key)
    assert data_of(again, 202)["documentId"] == data_of(first, 202)["documentId"]
    other = await api.client.post("/v1/documents?wait=0", files={"file": NOTE}, headers=key)
    refused(other, 422, "IDEMPOTENCY_CONFLICT")
