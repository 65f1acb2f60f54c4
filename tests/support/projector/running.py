"""A projector beside a real log."""

import asyncio

import asyncpg
from pydantic_core import to_json

from piperoll.store.blobs import Blobs
from schemas.envelope import Fact
from schemas.events import BatchCreated, Event, WebhookDelivered
from schemas.ids import draw_batch_id, draw_job_id, member_id
from schemas.topics import JOB_DELIVERIES, JOB_EVENTS
from services.projector.verify.run import VerifyReport
from tests.support.histories.jobs import created as created_event
from tests.support.histories.jobs import fact, life
from tests.support.stacks.projected import ProjectedLog


class Log(ProjectedLog):
    """A log of this module's own, and what its projector made of it."""

    topics = (JOB_EVENTS, JOB_DELIVERIES)

    async def append(self, jobs: int) -> list[str]:
        """Whole lives of so many jobs, each with a delivered webhook; their ids."""
        ids = [draw_job_id() for _ in range(jobs)]
        for second, data in enumerate(life(has_webhook=True)):
            await self._append_all([fact(job_id, data, second) for job_id in ids])
        delivered = WebhookDelivered(delivery_id="msg-1", phase="completed", attempt=1, status=200, duration_ms=3)
        await asyncio.gather(*(self.appender.append(JOB_DELIVERIES, fact(job_id, delivered, 9)) for job_id in ids))
        return ids

    async def happen(self, job_id: str, *events: Event) -> None:
        """Facts of one job, in order."""
        for second, data in enumerate(events):
            await self.appender.append(JOB_EVENTS, fact(job_id, data, second + 10))

    async def append_batch(self, count: int, created: int) -> str:
        """A batch of which the first `created` members exist, as an expander that is halfway leaves it."""
        batch_id = draw_batch_id()
        specs = Blobs(self.settings.blob_url).put(f"{batch_id}/in", to_json([{"job_type": "noop"}] * count))
        whole = BatchCreated(count=count, specs=specs, body_sha256="0" * 64)
        members = [fact(member_id(batch_id, index), created_event(batch_id), 1) for index in range(created)]
        await self._append_all([fact(batch_id, whole), *members])
        return batch_id

    async def tables(self) -> dict[str, list[asyncpg.Record]]:
        """Everything that the read model holds, but the checkpoints."""
        order = {
            "jobs": "job_id",
            "events": "job_id, sequence",
            "batches": "batch_id",
            "batch_counts": "batch_id, partition",
            "ends": "partition, seconds, at",
            "deliveries": "job_id, log_offset",
        }
        return {
            table: await self.statement(f"SELECT t::text FROM read_v1.{table} t ORDER BY {columns}")
            for table, columns in order.items()
        }

    async def _append_all(self, facts: list[Fact]) -> None:
        await asyncio.gather(*(self.appender.append(JOB_EVENTS, one) for one in facts))

    async def projected(self) -> int:
        """How many records were projected, of both topics."""
        (row,) = await self.statement("SELECT sum(next_offset)::bigint AS records FROM read_v1.checkpoints")
        return int(row["records"])

    async def came_further(self, than: int) -> bool:
        """Whether more was projected than `than` records."""
        return await self.projected() > than


def sentences(report: VerifyReport) -> str:
    return "\n".join(str(violation) for violation in report.violations)
