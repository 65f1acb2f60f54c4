"""Documents that are removed or extracted again, over a real Kafka, Postgres and projector."""

from uuid import uuid4

import asyncpg
import pytest

from tests.support.stacks.api import Api, refused
from tests.support.stacks.document_api import (
    NOTE,
    UNKNOWN_DOCUMENT,
    UNKNOWN_FOLDER,
    data_of,
    ends,
    failed,
    parameters_of,
    read,
    upload,
)


async def test_a_removed_document_is_deleted_with_its_content_and_jobs(api: Api, stranger: dict[str, str]) -> None:
    taken = await upload(api)
    await read(api, taken["jobId"], "Text")
    await ends(api, taken["jobId"])
    path = f"/v1/documents/{taken['documentId']}"
    for method in ("GET", "DELETE"):
        refused(await api.client.request(method, path, headers=stranger), 404, "NOT_FOUND")
    assert data_of(await api.client.delete(path))["id"] == taken["documentId"]
    for method, at in (("GET", path), ("GET", f"{path}/status"), ("DELETE", path)):
        refused(await api.client.request(method, at), 404, "NOT_FOUND")
    refused(await api.client.get(f"/api/jobs/{taken['jobId']}"), 404, "NOT_FOUND")
    assert list(api.blobs.list(f"documents/{taken['documentId']}")) == []
    refused(await api.client.post(f"{path}/reextract"), 404, "NOT_FOUND")


async def test_a_document_can_be_extracted_again_unless_an_extraction_is_running(api: Api, pool: asyncpg.Pool) -> None:
    taken = await upload(api)
    path = f"/v1/documents/{taken['documentId']}/reextract"
    refused(await api.client.post(path), 409, "CONFLICT")
    await failed(api, taken["jobId"])
    job = data_of(await api.client.post(path), 202)
    assert (job["type"], job["status"], job["targetId"]) == ("EXTRACTION", "PENDING", taken["documentId"])
    assert job["metadata"] == {"fileName": "note.md", "fileSize": len(NOTE[1]), "mimeType": "text/markdown"}
    assert (await parameters_of(api, job["id"], pool))["parameters"]["force_refresh"] is True
    refused(await api.client.post(path), 409, "CONFLICT")
    assert data_of(await api.client.get(f"/v1/documents/{taken['documentId']}/status")) == "PENDING"
    await read(api, job["id"], "Now it is read.")
    await ends(api, job["id"])
    assert data_of(await api.client.get(f"/v1/documents/{taken['documentId']}"))["content"] == "Now it is read."


@pytest.mark.parametrize("named", [True, False])
async def test_a_job_about_another_target_is_repeated_by_that_target(
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
    job = data_of(await api.client.post(path), 202)
    assert (job["targetId"], job["type"], job["metadata"]["fileName"]) == (about, "EXTRACTION", "a.pdf")
    assert (await api.job(job["id"]))["retry_of"] == job_id
    refused(await api.client.post(path), 409, "CONFLICT")


@pytest.mark.parametrize(
    "about", [UNKNOWN_DOCUMENT, UNKNOWN_FOLDER, "anything", "job-00000000-0000-4000-8000-000000000000", "%00"]
)
async def test_an_unknown_target_is_not_found(api: Api, about: str) -> None:
    refused(await api.client.post(f"/v1/documents/{about}/reextract"), 404, "NOT_FOUND")
    refused(await api.client.post(f"/v1/folders/{about}/reindex"), 404, "NOT_FOUND")
