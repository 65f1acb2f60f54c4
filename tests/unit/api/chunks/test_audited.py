"""Which requests for chunks are noted as a read of a job."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.datastructures import QueryParams

from piperoll.clock import utc_now
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.blocks import BlockKind, block
from schemas.claims import Claim
from schemas.document_json import DOCUMENT, document_json
from schemas.events import JobCompleted, JobCreated, JobStarted
from services.api.audit.reading import AuditQuery, AuditReader
from services.api.audit.recorder import AccessRecorder
from services.api.chunks.routes import BLOCKS, ChunkRoutes
from services.api.http.admission import Traffic, TrafficLimits
from services.api.http.caller import Caller
from services.api.http.gate import RequestGate
from services.api.outputs.files import Outputs
from tests.support.memory_log import MemoryLog
from tests.support.rows import JOB, row_of

CLAIM = Claim(uri="p", sha256="0", size=2)
COMPLETED = row_of(
    [
        JobCreated(job_type="extraction", parameters=CLAIM, body_sha256="0"),
        JobStarted(number=1, run="a", worker="w"),
        JobCompleted(run="a", result=CLAIM),
    ]
)


async def read_by(folder: Path, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The items of the audit after a request for chunks, of a job whose blocks are stored."""
    blobs, log = Blobs(folder.as_uri()), MemoryLog(1)
    content = DOCUMENT.dump_json(document_json("Title", "page", [block(BlockKind.PARAGRAPH, "Serviced.", page=1)]))
    blobs.put_named(f"{JOB}/a/{BLOCKS}", content, "application/json")
    store, recorder = AsyncBlobs(blobs), AccessRecorder(log, utc_now)

    async def job(*_: str) -> Any:
        return COMPLETED

    async def caller(*_: Any) -> Caller:
        return Caller("acme", "key-1", frozenset({"jobs"}))

    reading: Any = SimpleNamespace(job=job)
    app = FastAPI(routes=[*ChunkRoutes(reading, Outputs(store), 10_000).routes()])
    access: Any = SimpleNamespace(caller=caller)
    limits: Any = None
    gate = RequestGate(app, access, limits, Traffic(TrafficLimits.of(Settings())), recorder.note)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://api") as client:
        reply = await client.post("/api/chunk", json=body)
    store.close()
    assert reply.status_code == 200, reply.text
    await recorder.flush()
    facts = (await AuditReader(log, utc_now).facts(AuditQuery.of(QueryParams())))["facts"]
    return [item for one in facts for item in one["items"] if one["action"] == "read"]


async def test_the_chunks_of_a_job_are_noted_as_a_read_of_the_job(tmp_path: Path) -> None:
    assert await read_by(tmp_path, {"job_id": JOB}) == [{"route": "POST /api/chunk", "id": JOB, "times": 1}]


async def test_the_chunks_of_a_text_are_no_read(tmp_path: Path) -> None:
    assert await read_by(tmp_path, {"text": "Serviced."}) == []
