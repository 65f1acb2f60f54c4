"""The API and a projector in the test's own process, over the session's Kafka and the module's own Postgres."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from piperoll.clock import utc_now
from piperoll.log.producer import KafkaAppender
from piperoll.runtime import Lifetime
from piperoll.settings import Settings
from piperoll.store.blobs import Blobs
from schemas.envelope import Fact
from schemas.events import Event, JobCompleted, JobStarted
from schemas.ids import draw_run, event_id
from schemas.topics import JOB_EVENTS
from services.api import app as api_app
from services.projector import app as projector_app
from tests.support.waiting import wait_until

NOOP: dict[str, Any] = {"job_type": "noop", "parameters": {}}
BOUND_S = 5.0  # how long a GET may wait for the projector here


@dataclass
class Service:
    """A service in this process, started and stopped by the test."""

    main: Any
    settings: Settings
    lifetime: Lifetime = field(default_factory=Lifetime)
    task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.lifetime = Lifetime()
        self.task = asyncio.create_task(self.main(self.settings, self.lifetime))

    async def stop(self) -> None:
        self.lifetime.stopping.set()
        if self.task is not None:
            await self.task


@dataclass
class Api:
    client: httpx.AsyncClient
    projector: Service
    appender: KafkaAppender
    blobs: Blobs

    async def create(self, body: dict[str, Any] = NOOP, **headers: str) -> str:
        reply = await self.client.post("/api/jobs", json=body, headers=headers)
        assert reply.status_code == 200, reply.text
        return str(reply.json()["data"]["job_id"])

    async def job(self, job_id: str, **query: Any) -> dict[str, Any]:
        reply = await self.client.get(f"/api/jobs/{job_id}", params=query)
        assert reply.status_code == 200, reply.text
        return dict(reply.json()["data"])

    async def happen(self, job_id: str, *events: Event) -> None:
        """Append facts as a worker would."""
        for event in events:
            fact_id = event_id(draw_run(), type(event).__name__)
            await self.appender.append(JOB_EVENTS, Fact(fact_id, job_id, "local", utc_now(), "tests", event))

    async def run(self, job_id: str, result: Any = None) -> None:
        """Append the facts of a completed run."""
        run = draw_run()
        claim = self.blobs.put(f"{job_id}/{run}", json.dumps(result or {"assets": []}).encode())
        await self.happen(job_id, JobStarted(number=1, run=run, worker="w"), JobCompleted(run=run, result=claim))


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


IDS_OF_ALL_PARTITIONS = 100
"""So many unknown ids are in all partitions, of which each is read when the projector has caught up with it."""


@asynccontextmanager
async def serving(environment: dict[str, str]) -> AsyncIterator[Api]:
    """Run both services until the end of the block."""
    settings = Settings.from_environment(
        {
            "PIPEROLL_KEY_CACHE_S": "0",
            **environment,
            "PIPEROLL_API_PORT": str(a_free_port()),
            "PIPEROLL_BOOTSTRAP_KEYS": "good-key",
            "PIPEROLL_ENABLE_NOOP": "true",
            "PIPEROLL_READ_DEADLINE_S": str(BOUND_S),
        }
    )
    projector, served = Service(projector_app.main, settings), Service(api_app.main, settings)
    appender = KafkaAppender(settings, "test-api")
    await appender.start()
    projector.start()
    served.start()
    try:
        headers = {"Authorization": "Bearer good-key"}
        url = f"http://127.0.0.1:{settings.api_port}"
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=70) as client:
            api = Api(client, projector, appender, Blobs(settings.blob_url))
            await wait_until(lambda: is_ready(api), 30, "the API to be ready", not_yet=(httpx.TransportError,))
            yield api
    finally:
        await served.stop()
        await projector.stop()
        await appender.stop()


async def is_ready(api: Api) -> bool:
    """Ready, and the projector has taken its partitions over and read what other tests left in the log."""
    if (await api.client.get("/api/health/ready")).status_code != 200:
        return False
    paths = [f"/api/jobs/job-00000000-0000-4000-8000-{number:012}" for number in range(IDS_OF_ALL_PARTITIONS)]
    replies = await asyncio.gather(*(api.client.get(path) for path in paths))
    return all(reply.status_code == 404 for reply in replies)


@asynccontextmanager
async def without_projector(api: Api) -> AsyncIterator[None]:
    await api.projector.stop()
    try:
        yield
    finally:
        api.projector.start()
        await wait_until(lambda: is_ready(api), 30, "the projector to come back")


def refused(reply: httpx.Response, status: int, code: str) -> None:
    assert reply.status_code == status, reply.text
    assert reply.json()["error"]["code"] == code


async def ended(api: Api, job_id: str) -> dict[str, Any]:
    job = await api.job(job_id)
    return job if job["status"] in ("completed", "failed") else {}
