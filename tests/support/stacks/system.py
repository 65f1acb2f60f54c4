"""The whole system as its users meet it: four service processes over a real Kafka and Postgres, spoken to by HTTP."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from piperoll import keys
from piperoll.clock import utc_now
from piperoll.embedded.stack import Stack
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.parking import decode_accounted
from piperoll.log.producer import KafkaAppender
from piperoll.postgres import connect_pool
from piperoll.settings import Settings
from schemas.envelope import Fact
from schemas.events import Event
from schemas.ids import event_id
from schemas.topics import JOB_EVENTS, Topic
from services.projector.verify.run import VerifyReport, verify
from tests.support.servers.receiver import Receiver
from tests.support.waiting import wait_until

Json = dict[str, Any]
ENDED = ("completed", "failed")


class System:
    """A running stack, a client of its API, a webhook receiver, and the folder that jobs may read."""

    def __init__(self, stack: Stack, client: httpx.AsyncClient, receiver: Receiver, files: Path) -> None:
        self.stack = stack
        self.files = files
        self.client = client
        self.receiver = receiver

    @property
    def settings(self) -> Settings:
        """The settings that the stack's services run with."""
        return Settings.from_environment(self.stack.environment)

    async def post(self, path: str, body: Any, **headers: str) -> Json:
        """POSTs JSON and answers the `data` of a 200."""
        reply = await self.client.post(path, json=body, headers=headers)
        assert reply.status_code == 200, reply.text
        return dict(reply.json()["data"])

    async def create(self, job_type: str = "noop", **parameters: Any) -> str:
        """Creates a job; answers its id."""
        data = await self.post("/api/jobs/", {"job_type": job_type, "parameters": parameters})
        return str(data["job_id"])

    async def create_batch(self, count: int, **parameters: Any) -> Json:
        """Creates a batch of equal no-op jobs; answers the batch."""
        jobs = [{"job_type": "noop", "parameters": parameters} for _ in range(count)]
        data = await self.post("/api/jobs/batch", {"batch_name": "Trial", "jobs": jobs})
        return dict(data["batch"])

    async def job(self, job_id: str) -> Json:
        """The job as GET shows it."""
        reply = await self.client.get(f"/api/jobs/{job_id}")
        assert reply.status_code == 200, reply.text
        return dict(reply.json()["data"])

    async def batch(self, batch_id: str) -> Json:
        """The batch as GET shows it."""
        reply = await self.client.get(f"/api/jobs/batch/{batch_id}")
        assert reply.status_code == 200, reply.text
        return dict(reply.json()["data"])

    async def wait_for_status(self, job_id: str, *statuses: str, timeout: float = 60) -> Json:
        """The job once it has one of the statuses."""

        async def reached() -> Json | None:
            job = await self.job(job_id)
            return job if job["status"] in statuses else None

        found = await wait_until(
            reached,
            timeout,
            f"{job_id} to be {' or '.join(statuses)}",
            not_yet=(httpx.TransportError, AssertionError),
        )
        assert found is not None
        return found

    async def wait_for_end(self, job_id: str, timeout: float = 60) -> Json:
        """The job once it has ended."""
        return await self.wait_for_status(job_id, *ENDED, timeout=timeout)

    async def wait_for_all(self, job_ids: Iterable[str], timeout: float = 90) -> list[Json]:
        """All jobs once all have ended."""
        return [await self.wait_for_end(job_id, timeout) for job_id in job_ids]

    async def wait_for_final_hooks(self, job_ids: Iterable[str], timeout: float = 90) -> dict[str, list[Json]]:
        """The hooks of each job, by job id, once each job's final one was accepted by the receiver."""
        wanted = set(job_ids)

        def hooks() -> dict[str, list[Json]] | None:
            found: dict[str, list[Json]] = {job_id: [] for job_id in wanted}
            for request in self.receiver.received:
                job_id = request.json["process"]["id"]
                if job_id in found:
                    found[job_id].append({**request.json, "webhook-id": request.headers["webhook-id"]})
            done = all(any(is_final(hook) for hook in sent) for sent in found.values())
            return found if done else None

        result = await wait_until(hooks, timeout, f"the final hooks of {len(wanted)} jobs")
        assert result is not None
        return result

    async def create_key(self, owner: str, *scopes: str) -> str:
        """A key of another owner, for its jobs unless other scopes are named."""
        pool = await connect_pool(self.settings.postgres_dsn.get_secret_value())
        try:
            _, key = await keys.create(pool, self.settings.key_pepper.get_secret_value(), owner, scopes or ("jobs",))
        finally:
            await pool.close()
        return key

    @asynccontextmanager
    async def client_of(self, owner: str, *scopes: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client with a key of another owner; see `create_key`."""
        headers = {"Authorization": f"Bearer {await self.create_key(owner, *scopes)}"}
        async with httpx.AsyncClient(base_url=self.stack.api_url, headers=headers, timeout=70) as client:
            yield client

    async def log_end(self) -> dict[int, int]:
        """The end of the job events' partitions now."""
        async with self._offsets() as offsets:
            return await offsets.end_offsets(JOB_EVENTS)

    async def facts_of(self, job_ids: set[str], begin: dict[int, int]) -> list[Fact]:
        """The facts of some jobs since `begin`, in log order per job."""
        async with self._offsets() as offsets:
            records = await offsets.read_range(JOB_EVENTS, begin, await offsets.end_offsets(JOB_EVENTS))
        return [fact for record in records if (fact := decode_accounted(record).fact) and fact.subject in job_ids]

    async def count_facts(self, kind: type[Event], job_ids: set[str], begin: dict[int, int]) -> int:
        """How many facts of a kind the log has about some jobs since `begin`."""
        return sum(isinstance(fact.data, kind) for fact in await self.facts_of(job_ids, begin))

    async def append(self, subject: str, event: Event, owner: str = "local", topic: Topic = JOB_EVENTS) -> None:
        """Appends a fact as the API would."""
        appender = KafkaAppender(self.settings, "test")
        await appender.start()
        try:
            scope = event_id(subject, type(event).__name__)
            now = utc_now()
            fact = Fact(id=scope, subject=subject, owner=owner, time=now, source="api", data=event)
            await appender.append(topic, fact)
        finally:
            await appender.stop()

    @asynccontextmanager
    async def _offsets(self) -> AsyncIterator[KafkaOffsets]:
        offsets = KafkaOffsets(self.settings)
        await offsets.start()
        try:
            yield offsets
        finally:
            await offsets.stop()

    async def verify(self) -> VerifyReport:
        """Judges the read model and the history against the log (I1-I8)."""
        return await verify(self.settings)


def is_final(hook: Json) -> bool:
    """Whether a webhook reports the end of a job."""
    return hook["phase"] in ("completed", "error")
