"""The API over a log in memory and local blobs, without Postgres."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from piperoll.installation.guard import Guard
from piperoll.postgres import connect_pool
from piperoll.seal import Seal
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from piperoll.webhooks.sender import Sender
from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.topics import JOB_EVENTS
from services.api.assembly import Assembly, Connections
from services.api.read_model.positions import Positions
from tests.support.memory_log import MemoryLog

NOOP = {"job_type": "noop", "parameters": {}}
KEY = {"Authorization": "Bearer good-key"}
PARTITIONS = 3


@dataclass
class MemoryApi:
    client: httpx.AsyncClient
    log: MemoryLog
    blobs: AsyncBlobs
    seal: Seal

    async def facts(self) -> list[Fact]:
        begin = dict.fromkeys(range(PARTITIONS), 0)
        records = await self.log.read_range(JOB_EVENTS, begin, await self.log.end_offsets(JOB_EVENTS))
        return [record.fact() for record in records]

    async def document(self, claim: Claim) -> Any:
        return json.loads(await self.blobs.get(claim.uri))


@asynccontextmanager
async def memory_api(folder: Path, **settings: Any) -> AsyncIterator[MemoryApi]:
    """The API with its blobs in `folder`; `settings` override the defaults of these tests."""
    chosen = {
        "postgres_dsn": f"postgresql://user@127.0.0.1:{a_closed_port()}/none",
        "blob_url": (folder / "blobs").as_uri(),
        "files_roots": str(folder),
        "enable_noop": True,
        "max_body_bytes": 100_000,
        "max_upload_bytes": 200_000,
        "partitions": PARTITIONS,
        "key_pepper": "pepper",
        "bootstrap_keys": "good-key",
        "read_deadline_s": 1.0,
        "append_deadline_s": 1.0,
        "document_wait_s": 1.0,
    }
    made = Settings(**{**chosen, **settings})
    dsn = made.postgres_dsn.get_secret_value()
    pool = await connect_pool(dsn, min_size=0)
    log, blobs, seal = MemoryLog(PARTITIONS), AsyncBlobs(Blobs(made.blob_url)), Seal({"k1": b"0" * 32})
    sender = Sender(made.private_networks, uncached=True)
    guard = Guard(blobs, log)
    await guard.compare()
    app = Assembly(made, Connections(log, log, pool, Positions(dsn), blobs, sender, seal, guard), dict).app()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=KEY) as client:
            yield MemoryApi(client, log, blobs, seal)
    finally:
        blobs.close()
        await sender.close()
        pool.terminate()


def a_closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def error(reply: httpx.Response, status: int) -> dict[str, Any]:
    """The error of a refusal, in its envelope."""
    assert reply.status_code == status, reply.text
    assert reply.json()["status"] == "error"
    assert set(reply.json()["error"]) == {"code", "message", "details"}
    return dict(reply.json()["error"])
