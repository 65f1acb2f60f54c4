"""Jobs that name documents and folders, over a real Kafka, Postgres and projector."""

import json

import asyncpg
import pytest

from piperoll.settings import Settings
from tests.support.stacks.api import Api, refused
from tests.support.stacks.document_api import (
    UNKNOWN_DOCUMENT,
    UNKNOWN_FOLDER,
    Json,
    ends,
    folder,
    parameters_of,
    read,
    upload,
)


async def test_jobs_get_the_content_that_their_parameters_name(
    api: Api, pool: asyncpg.Pool, settings: Settings
) -> None:
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
    assert again.status_code == 202, "a generation about a document is not an extraction of it"


async def test_members_of_a_batch_get_the_named_content_and_a_wrong_one_is_identified(
    api: Api, pool: asyncpg.Pool
) -> None:
    taken = await upload(api)
    right = {"job_type": "extraction", "parameters": {"document_id": taken["documentId"]}}
    batch = (await api.client.post("/api/jobs/batch", json={"jobs": [right, right]})).json()["data"]["batch_id"]
    uri = await pool_uri(api, pool, batch)
    assert {spec["resolved"]["document_id"] for spec in json.loads(api.blobs.get(uri))} == {taken["documentId"]}
    wrong = {"job_type": "embedding", "parameters": {"folder_id": UNKNOWN_FOLDER}}
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
        ("extraction", {"document_id": UNKNOWN_DOCUMENT}, "document_id"),
        ("transcription", {"document_id": UNKNOWN_DOCUMENT}, "document_id"),
        ("generation", {"document_id": UNKNOWN_DOCUMENT, "prompt": "Sum it up."}, "document_id"),
        ("embedding", {"folder_id": UNKNOWN_FOLDER}, "folder_id"),
        ("import", {"folder_id": UNKNOWN_FOLDER, "items": [{"url": "https://example.com/a.pdf"}]}, "folder_id"),
    ],
)
async def test_a_job_that_names_an_unknown_id_is_refused_with_the_field(
    api: Api, job_type: str, parameters: Json, field: str
) -> None:
    reply = await api.client.post("/api/jobs", json={"job_type": job_type, "parameters": parameters})
    refused(reply, 400, "INVALID_PARAMETERS")
    assert [one["field"] for one in reply.json()["error"]["details"]["fields"]] == [field]


async def test_a_document_of_another_owner_is_unknown(api: Api, stranger: dict[str, str]) -> None:
    taken = await upload(api)
    job = {"job_type": "extraction", "parameters": {"document_id": taken["documentId"]}}
    refused(await api.client.post("/api/jobs", json=job, headers=stranger), 400, "INVALID_PARAMETERS")
