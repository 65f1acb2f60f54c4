"""The document of a job as chunks, over the whole system."""

from typing import Any

import httpx

from tests.support.clients.pdf import fresh
from tests.support.files.pdf import pdf
from tests.support.stacks.system import System


async def chunked(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.post("/api/chunk", json=body)


async def test_the_document_of_a_job_is_divided_with_its_pages(system: System) -> None:
    job_id = await system.create("extraction", filename=str(pdf(fresh(system), 3)), output="json")
    job = await system.wait_for_end(job_id)
    reply = await chunked(system.client, job_id=job_id, max_tokens=32)
    assert reply.status_code == 200, reply.text
    answer = reply.json()["data"]
    assert answer["unit"] == "page"
    assert (answer["chunks"][0]["page"], answer["chunks"][-1]["last_page"]) == (1, 3)
    text = job["results"]["structured_data"]["extracted_text"]
    assert set(text.split()) == {word for one in answer["chunks"] for word in one["text"].split()}


async def test_a_job_without_blocks_is_a_conflict_and_anothers_job_is_not_found(system: System) -> None:
    job_id = await system.create("extraction", filename=str(pdf(fresh(system), 1)))
    await system.wait_for_end(job_id)
    assert (await chunked(system.client, job_id=job_id)).status_code == 409
    assert (await chunked(system.client, job_id="job-of-none")).status_code == 404
    async with system.client_of("another-owner") as client:
        assert (await chunked(client, job_id=job_id)).status_code == 404
