"""Asks the read model (queries.sql). Every call is bounded, and raises ReadModelUnavailableError, nothing else."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import asyncpg

from piperoll.domain.batch import status_of
from piperoll.domain.job import Status
from piperoll.postgres import load_queries
from schemas.topics import JOB_EVENTS
from services.api.http.database import asking
from services.api.read_model.job_rows import (
    BatchMember,
    BatchRow,
    Changed,
    Creation,
    JobRow,
    ListedBatch,
    Standing,
    batch_row,
    changed,
    job_row,
    listed_batch,
    reflected,
)

QUERIES = load_queries("services.api.read_model", "jobs.sql")
TOPIC = JOB_EVENTS.name


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
            rows[0],
            tuple(
                BatchMember(row["job_id"], Status(row["status"]), row["updated_at"], row["erased"]) for row in members
            ),
        )

    async def creation(self, kind: Literal["job", "batch"], subject: str) -> Creation | None:
        """What the job or batch was created with, or None when its creation was not projected."""
        rows = await self._fetch(f"{kind}_creation", subject, TOPIC)
        if not rows:
            return None
        return Creation(rows[0]["created_at"], rows[0]["body_sha256"], reflected(rows[0]))

    async def standings(self, job_ids: Sequence[str]) -> dict[str, Standing]:
        """How some jobs stand."""
        rows = await self._fetch("standings", job_ids)
        return {row["job_id"]: Standing(Status(row["status"]), row["sequence"]) for row in rows}

    async def jobs(self, filters: Sequence[Any], limit: int, skip: int) -> tuple[int, list[JobRow]]:
        """How many jobs pass the filters (see `count_jobs`), and a page of them without their facts."""
        total, rows = await self._page("jobs", filters, limit, skip)
        return total, [job_row(row) for row in rows]

    async def devana_jobs(
        self, filters: tuple[str, Sequence[str], Sequence[str]], target: str | None, limit: int, offset: int
    ) -> list[JobRow]:
        """A page of an owner's jobs of the last 24 hours, of some job types and statuses (`filters`) and a target."""
        if target is None:
            rows = await self._fetch("devana_jobs", *filters, limit, offset)
        else:
            rows = await self._fetch("devana_jobs_of_target", *filters, limit, offset, target)
        return [job_row(row) for row in rows]

    async def batches(self, filters: Sequence[Any], limit: int, skip: int) -> tuple[int, list[ListedBatch]]:
        """How many batches pass the filters (see `count_batches`), and a page of them."""
        total, rows = await self._page("batches", filters, limit, skip)
        return total, [listed_batch(row) for row in rows]

    async def batches_of_status(self, owner: str, user_id: str | None, status: str) -> list[str]:
        """The ids of the batches that stand so. Every member is counted: a batch has no status of its own."""
        rows = await self._fetch("batch_counts", owner, user_id)
        return [
            row["batch_id"]
            for row in rows
            if status_of(row["count"], row["started"], row["completed"], row["ended"]) == status
        ]

    async def changes(self, owner: str, behind: Mapping[int, int], limit: int) -> list[Changed]:
        """An owner's facts from an offset of each partition on, at most `limit` of each, in the log's order."""
        rows = await self._fetch("changes", owner, list(behind), list(behind.values()), limit)
        return [changed(row) for row in rows]

    async def events(self, job_id: str, after: int, limit: int) -> list[tuple[int, int, str, datetime, str]]:
        """A job's facts: sequence, offset, type, time and data as JSON text."""
        rows = await self._fetch("events", job_id, after, limit)
        return [(row["sequence"], row["log_offset"], row["type"], row["time"], row["data"]) for row in rows]

    async def deliveries(self, job_id: str) -> list[tuple[str, datetime, str]]:
        """What became of a job's webhooks: type, time and data as JSON text."""
        return [(row["type"], row["time"], row["data"]) for row in await self._fetch("deliveries", job_id)]

    async def _page(self, what: str, filters: Sequence[Any], limit: int, skip: int) -> tuple[int, list[asyncpg.Record]]:
        """Total and page of one snapshot, planned for these very filters: a plan for any would use no index."""
        async with (
            asking(f"list_{what}", self._deadline_s),
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            total = await connection.fetchval(QUERIES[f"count_{what}"], *filters)
            rows = await connection.fetch(QUERIES[f"list_{what}"], *filters, limit, skip)
        return total, rows

    async def _fetch(self, name: str, *arguments: Any) -> list[asyncpg.Record]:
        async with asking(name, self._deadline_s):
            return await self._pool.fetch(QUERIES[name], *arguments)
