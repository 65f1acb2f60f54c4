"""Asks the read model (queries.sql). Every call is bounded, and raises ReadModelUnavailableError, nothing else."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import asyncpg
import structlog

from piperoll.domain.job import Status
from piperoll.postgres import load_queries
from schemas.topics import JOB_EVENTS
from services.api.errors import ReadModelUnavailableError
from services.api.rows import BatchRow, Creation, JobRow, Member, batch_row, job_row, reflected

log = structlog.get_logger()

QUERIES = load_queries("services.api", "queries.sql")
TOPIC = JOB_EVENTS.name

AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)
"""What asyncpg raises while Postgres is away, restarts, or lacks the tables because no projector ran yet."""


class ReadModel:
    """The projected rows, over a pool that may connect late and lose its connections."""

    def __init__(self, pool: asyncpg.Pool, deadline_s: float) -> None:
        self._pool = pool
        self._deadline_s = deadline_s

    async def job(self, job_id: str) -> JobRow | None:
        """A job with everything its view needs but blobs."""
        rows = await self._fetch("job", job_id, TOPIC)
        return job_row(rows[0]) if rows else None

    async def batch(self, batch_id: str) -> BatchRow | None:
        """A batch and its members."""
        rows = await self._fetch("batch", batch_id, TOPIC)
        if not rows:
            return None
        members = await self._fetch("members", batch_id)
        return batch_row(
            rows[0], tuple(Member(row["job_id"], Status(row["status"]), row["updated_at"]) for row in members)
        )

    async def creation(self, kind: Literal["job", "batch"], subject: str) -> Creation | None:
        """What the job or batch was created with, or None when its creation was not projected."""
        rows = await self._fetch(f"{kind}_creation", subject, TOPIC)
        if not rows:
            return None
        return Creation(rows[0]["created_at"], rows[0]["body_sha256"], reflected(rows[0]))

    async def statuses(self, job_ids: Sequence[str]) -> dict[str, Status]:
        """How some jobs stand."""
        return {row["job_id"]: Status(row["status"]) for row in await self._fetch("statuses", job_ids)}

    async def events(self, job_id: str, after: int, limit: int) -> list[tuple[int, int, str, datetime, str]]:
        """A job's facts: sequence, offset, type, time and data as JSON text."""
        rows = await self._fetch("events", job_id, after, limit)
        return [(row["sequence"], row["log_offset"], row["type"], row["time"], row["data"]) for row in rows]

    async def deliveries(self, job_id: str) -> list[tuple[str, datetime, str]]:
        """What became of a job's webhooks: type, time and data as JSON text."""
        return [(row["type"], row["time"], row["data"]) for row in await self._fetch("deliveries", job_id)]

    async def _fetch(self, name: str, *arguments: Any) -> list[asyncpg.Record]:
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._pool.fetch(QUERIES[name], *arguments)
        except AWAY as error:
            log.warning("read_model_away", query=name, error=repr(error))
            raise ReadModelUnavailableError("the read model does not answer at present") from error
