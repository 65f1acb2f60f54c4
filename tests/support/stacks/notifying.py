"""A notifier of real parts for tests: its own Postgres schema, blob folder and sockets, on a log in memory.

With the log in memory a test decides when a fact is read. Kafka itself has its own tests.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg

from piperoll import keys
from piperoll.background import Background
from piperoll.clock import Clock, utc_now
from piperoll.log.dead_letters import DeadLetters
from piperoll.postgres import connect_pool, migrate
from piperoll.seal import Seal
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from piperoll.webhooks.guard import Lookup
from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import EndpointRegistered, Event, JobCompleted, JobCreated, JobProgress, JobStarted
from schemas.ids import draw_endpoint_id, draw_job_id, event_id
from schemas.topics import ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS
from services.notifier.assembly import Log, Notifier, assemble
from services.notifier.readers.server import PostgresServer
from tests.support.memory_log import MemoryLog
from tests.support.waiting import wait_until

CLUSTER = "memory"


class Rig:
    """A running notifier, and what a test does to it."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, log: MemoryLog, notifier: Notifier) -> None:
        self.settings = settings
        self.pool = pool
        self.log = log
        self.notifier = notifier
        self.blobs = Blobs(settings.blob_url)
        self.seal = Seal(settings.sealing_keys)

    def created(self, job_id: str, url: str | None, token: str | None = None, client_id: str | None = None) -> Event:
        """JobCreated with its parameters in the blob store; a token may be given sealed wrongly as `!…`."""
        webhook: dict[str, Any] | None = None
        if url is not None:
            webhook = {"url": url}
            if token is not None:
                webhook["token"] = {"sealed": token[1:] if token.startswith("!") else self.seal.seal(token)}
            if client_id is not None:
                webhook["jobId"] = client_id
        document = {"job_type": "pdf", "parameters": {"webhook": webhook} if webhook else {}}
        claim = self.put(f"{job_id}/in", document)
        return JobCreated(job_type="pdf", parameters=claim, body_sha256="", has_webhook=url is not None)

    def put(self, folder: str, document: Any) -> Claim:
        return self.blobs.put(folder, json.dumps(document).encode())

    def completed(self, job_id: str, text: str = "the text") -> Event:
        data = {"extracted_text": text, "metadata": {"page_count": 1}}
        result = self.put(f"{job_id}/run", {"structured_data": data, "assets": [], "target_dir": ""})
        return JobCompleted(run="run", result=result)

    async def register(
        self, url: str, *statuses: str, token: str | None = None, owner: str = "owner", deliver: bool = True
    ) -> str:
        """Register an endpoint under the secret SECRET; the notifier reads it at once if `deliver`."""
        endpoint_id = draw_endpoint_id()
        settings = {
            "url": url,
            "secret": self.seal.seal(SECRET),
            "token": None if token is None else self.seal.seal(token),
        }
        claim = self.put(f"endpoints/{endpoint_id}", settings)
        await self.tell(endpoint_id, EndpointRegistered(settings=claim, statuses=statuses), owner, deliver)
        return endpoint_id

    async def tell(self, endpoint_id: str, data: Event, owner: str = "owner", deliver: bool = True) -> None:
        """Appends a fact about an endpoint."""
        fact_id = event_id(endpoint_id, type(data).__name__)
        await self.log.append(ENDPOINT_EVENTS, Fact(fact_id, endpoint_id, owner, datetime.now(UTC), "api", data))
        if deliver:
            await self.log.deliver()

    async def append(self, job_id: str, *data: Event, deliver: bool = True) -> None:
        """Appends facts about a job and, if `deliver`, hands them to the notifier."""
        for number, one in enumerate(data):
            fact_id = event_id(job_id, type(one).__name__, number)
            await self.log.append(JOB_EVENTS, Fact(fact_id, job_id, "owner", datetime.now(UTC), "test", one))
        if deliver:
            await self.log.deliver()

    async def run_job(self, url: str, *, progress: int = 0, job_id: str | None = None, **webhook: Any) -> str:
        """A job from its creation to its completion, read by the notifier at once."""
        job_id = job_id or draw_job_id()
        steps = [
            JobProgress(run="run", sequence=number, step="extracting_text", percent=10 * number)
            for number in range(1, progress + 1)
        ]
        created = self.created(job_id, url, **webhook)
        await self.append(job_id, created, STARTED, *steps, self.completed(job_id))
        return job_id

    async def row(self, job_id: str) -> asyncpg.Record | None:
        return await self.pool.fetchrow("SELECT * FROM notifier.queue WHERE job_id = $1", job_id)

    async def state(self, job_id: str) -> str | None:
        row = await self.row(job_id)
        return row["state"] if row else None

    async def deliveries(self, job_id: str) -> list[Event]:
        """The facts about a job's deliveries that are in the log."""
        end = await self.log.end_offsets(JOB_DELIVERIES)
        records = await self.log.read_range(JOB_DELIVERIES, dict.fromkeys(end, 0), end)
        return [record.fact().data for record in records if record.fact().subject == job_id]

    async def wait_for_deliveries(self, job_id: str, count: int, timeout: float = 20) -> list[Event]:
        async def enough() -> list[Event] | None:
            facts = await self.deliveries(job_id)
            return facts if len(facts) >= count else None

        return await wait_until(enough, timeout, f"{count} facts about deliveries of {job_id}")  # type: ignore[return-value]

    async def wait_for_state(self, job_id: str, state: str, timeout: float = 20) -> None:
        async def reached() -> bool:
            return await self.state(job_id) == state

        await wait_until(reached, timeout, f"{job_id} to be {state}")


SECRET = "whsec_" + "c2VjcmV0" * 4
STARTED = JobStarted(number=1, run="run", worker="worker")


@asynccontextmanager
async def running(
    settings: Settings,
    log: MemoryLog | None = None,
    *,
    fresh: bool = True,
    intake_first: bool = False,
    lookup: Lookup = socket.getaddrinfo,
    clock: Clock = utc_now,
) -> AsyncIterator[Rig]:
    """A notifier at work. `fresh` drops its schema first; `intake_first` has it read the jobs before the deliveries."""
    log = log or MemoryLog()
    stopping = asyncio.Event()
    async with AsyncExitStack() as owned:
        server = PostgresServer()
        pool = await connect_pool(settings.postgres_dsn.get_secret_value(), on_connect=server.meet)
        owned.push_async_callback(pool.close)
        if fresh:
            await pool.execute("DROP SCHEMA IF EXISTS notifier CASCADE")
        await migrate(pool, "services.notifier", "notifier.sql")
        await keys.prepare(pool)
        dead_letters = DeadLetters(log)
        blobs = AsyncBlobs(Blobs(settings.blob_url))
        owned.callback(blobs.close)
        clients = Log(log, log, dead_letters, CLUSTER, clock)
        notifier = assemble(settings, pool, clients, Background(stopping), stopping, owned, blobs, server, lookup)
        if intake_first:
            await log.subscribe(JOB_EVENTS, notifier.job_events)
            await log.deliver()
        await log.subscribe(JOB_DELIVERIES, notifier.deliveries)
        await log.subscribe(ENDPOINT_EVENTS, notifier.endpoint_events)
        if not intake_first:
            await log.subscribe(JOB_EVENTS, notifier.job_events)
        await log.deliver()
        task = asyncio.create_task(notifier.run({}, stopping))
        try:
            yield Rig(settings, pool, log, notifier)
        finally:
            await log.unsubscribe(JOB_EVENTS, notifier.job_events)
            await log.unsubscribe(ENDPOINT_EVENTS, notifier.endpoint_events)
            await log.unsubscribe(JOB_DELIVERIES, notifier.deliveries)
            stopping.set()
            await task


def ago(seconds: float) -> Clock:
    """A clock that is behind."""
    offset = datetime.now(UTC).timestamp() - seconds

    def clock() -> datetime:
        return datetime.fromtimestamp(offset, UTC)

    return clock
