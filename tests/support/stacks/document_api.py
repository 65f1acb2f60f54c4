"""Documents and folders of an API over a real Kafka, Postgres and projector; tests append the worker's facts."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from piperoll import keys
from piperoll.embeddings import Remote, embedder_of
from piperoll.settings import Settings
from schemas.events import JobCompleted, JobFailed, JobStarted
from schemas.ids import draw_run
from schemas.job_types.embedding import LOCAL_MODEL
from tests.support.files.indexes import Chunks, put_index
from tests.support.stacks.api import Api, serving
from tests.support.waiting import wait_until

Json = dict[str, Any]
NOTE = ("note.md", b"# A note\n\nThe heat pump is serviced in May.")
UNKNOWN_DOCUMENT = "doc-00000000-0000-4000-8000-000000000000"
UNKNOWN_FOLDER = "folder-00000000-0000-4000-8000-000000000000"


@asynccontextmanager
async def serving_documents(environment: dict[str, str]) -> AsyncIterator[Api]:
    """The API beside a projector, with a short wait for extractions."""
    more = {"PIPEROLL_RATE_LIMIT": "100000", "PIPEROLL_DOCUMENT_WAIT_S": "0.2"}
    async with serving({**environment, **more}) as serving_api:
        yield serving_api


async def a_stranger(pool: asyncpg.Pool, settings: Settings) -> dict[str, str]:
    """The headers of another owner."""
    _, key = await keys.create(pool, settings.key_pepper.get_secret_value(), f"stranger-{uuid4().hex[:8]}")
    return {"Authorization": f"Bearer {key}"}


def data_of(reply: httpx.Response, status: int = 200) -> Any:
    assert reply.status_code == status, reply.text
    assert reply.json().keys() == {"success", "data"}
    assert reply.json()["success"] is True
    return reply.json()["data"]


async def upload(api: Api, file: tuple[str, bytes] = NOTE, **data: str) -> Json:
    """Upload a document without waiting for its extraction; return documentId, status and jobId."""
    return dict(data_of(await api.client.post("/v1/documents?wait=0", files={"file": file}, data=data), 202))


async def pending_extractions(pool: asyncpg.Pool) -> set[str]:
    """All pending extractions, also those that other modules left in the log."""
    rows = await pool.fetch("SELECT job_id FROM read_v1.jobs WHERE job_type = 'extraction' AND status = 'pending'")
    return {row["job_id"] for row in rows}


async def new_extraction(pool: asyncpg.Pool, before: set[str]) -> str:
    """Wait for the extraction that was created since `before`."""

    async def found() -> set[str]:
        return await pending_extractions(pool) - before

    (job_id,) = await wait_until(found, 10, "the job")
    return job_id


async def parameters_of(api: Api, job_id: str, pool: asyncpg.Pool) -> Json:
    """The content of the parameters claim of a job."""
    await api.job(job_id)
    uri = await pool.fetchval("SELECT state -> 'parameters' ->> 'uri' FROM read_v1.jobs WHERE job_id = $1", job_id)
    return dict(json.loads(api.blobs.get(uri)))


async def read(api: Api, job_id: str, text: str, number: int = 1) -> None:
    """Append the facts of an extraction that read `text`."""
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
    """Append the facts of an embedding with one chunk for each text."""
    embedder = embedder_of(LOCAL_MODEL, Remote())
    vectors = await asyncio.to_thread(embedder.embed, list(texts.values()))
    documents = {
        document_id: [(text, vector)] for (document_id, text), vector in zip(texts.items(), vectors, strict=True)
    }
    await loaded(api, job_id, folder_id, embedder.model, embedder.dimensions, documents)


async def loaded(
    api: Api, job_id: str, folder_id: str, model: str, dimensions: int, documents: dict[str, Chunks]
) -> None:
    """Append the facts of an embedding with these vectors, and wait for its end."""
    run = draw_run()
    result = api.blobs.put(f"{job_id}/{run}", b'{"structured_data": {}, "assets": []}')
    index = put_index(api.blobs, job_id, run, folder_id, model, dimensions, documents)
    started = JobStarted(number=1, run=run, worker="w")
    await api.happen(job_id, started, JobCompleted(run=run, result=result, index=index, method=model))
    await ends(api, job_id)


async def ends(api: Api, job_id: str) -> None:
    async def ended() -> bool:
        return (await api.job(job_id))["status"] in ("completed", "failed")

    await wait_until(ended, 10, f"{job_id} to end")


async def folder(api: Api, **body: Any) -> Json:
    return dict(data_of(await api.client.post("/v1/folders", json={"name": "Documentation", **body})))
