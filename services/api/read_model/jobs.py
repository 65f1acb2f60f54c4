"""Queries of jobs and batches (jobs.sql). Every method is bounded in time and raises ReadModelUnavailableError."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any, Literal

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from piperoll.domain.batch import status_of
from piperoll.domain.job import Status
from piperoll.postgres import load_queries
from schemas.topics import JOB_EVENTS
from services.api.http.database import Source, bounded_query, own_turn
from services.api.read_model.job_rows import (
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
    """The projected rows of jobs and batches. The pool may connect late and lose its connections.

    `source` is the snapshot to read in, by default any connection.
    """

    def __init__(self, pool: asyncpg.Pool, deadline_s: float) -> None:
        self._pool = pool
        self._deadline_s = deadline_s

    async def job(self, job_id: str, source: Source | None = None) -> JobRow | None:
        """Return a job with everything that its view needs except blobs."""
        rows = await self._fetch("job", job_id, TOPIC, source=source)
        return job_row(rows[0]) if rows else None

    async def batch(self, batch_id: str, source: Source | None = None) -> BatchRow | None:
        """Return a batch and its members."""
        rows = await self._fetch("batch", batch_id, TOPIC, source=source)
        return batch_row(rows[0], await self._fetch("members", batch_id, source=source)) if rows else None

    async def creation(
        self, kind: Literal["job", "batch"], subject: str, partition: int
    ) -> tuple[Creation | None, int]:
        """Return the creation of a job or batch, and how far its partition was projected; None if not by then."""
        rows = await self._fetch(f"{kind}_creation", subject, TOPIC, partition)
        if not rows:
            return None, 0
        row = rows[0]
        if row["created_at"] is None:
            return None, row["next_offset"]
        return Creation(row["created_at"], row["body_sha256"], reflected(row)), row["next_offset"]

    async def standings(self, job_ids: Sequence[str]) -> dict[str, Standing]:
        """Return the standings of some jobs by id."""
        rows = await self._fetch("standings", job_ids)
        return {row["job_id"]: Standing(Status(row["status"]), row["sequence"]) for row in rows}

    async def jobs(self, filters: Sequence[Any], limit: int, skip: int) -> tuple[int, list[JobRow]]:
        """Return the number of jobs that pass the filters (see `count_jobs`), and a page of them without facts."""
        total, rows = await self._page("jobs", filters, limit, skip, None)
        return total, [job_row(row) for row in rows]

    async def jobs_after(self, filters: Sequence[Any], limit: int, skip: int, after: str) -> list[JobRow]:
        """Return a page of the jobs that follow the job `after` in the list; they are not counted."""
        return await self._listed("list_jobs", *filters, limit, skip, after)

    async def search(
        self, filters: Sequence[Any], limit: int, skip: int, after: str | None, asked: str
    ) -> list[JobRow]:
        """Return a page of the jobs that a search finds (`piperoll.domain.words.asked_words`); they are not counted."""
        return await self._listed("search_jobs", *filters, limit, skip, after, asked)

    async def counts(self, filters: Sequence[Any], asked: str | None = None) -> dict[Status, int]:
        """Return the number of jobs that pass the filters (see `count_by_status`), of each status that has some.

        With a search, of those that it finds.
        """
        name, found = ("count_by_status", ()) if asked is None else ("count_found", (asked,))
        async with self._planned(name) as connection:
            rows = await connection.fetch(QUERIES[name], *filters, *found)
        return {Status(row["status"]): row["number"] for row in rows}

    async def devana_jobs(
        self, filters: tuple[str, Sequence[str], Sequence[str]], target: str | None, limit: int, offset: int
    ) -> list[JobRow]:
        """Return a page of an owner's jobs of the last 24 hours. `filters` are owner, job types and statuses."""
        name, of_target = ("devana_jobs", ()) if target is None else ("devana_jobs_of_target", (target,))
        return [job_row(row) for row in await self._fetch(name, *filters, limit, offset, *of_target)]

    async def batches(self, filters: Sequence[Any], limit: int, skip: int) -> tuple[int, list[ListedBatch]]:
        """Return the number of batches that pass the filters (see `count_batches`), and a page of them."""
        total, rows = await self._page("batches", filters, limit, skip)
        return total, [listed_batch(row) for row in rows]

    async def batches_of_status(self, owner: str, user_id: str | None, status: str) -> list[str]:
        """Return the ids of the batches with a status. It is computed from their counts, since none is stored."""
        rows = await self._fetch("batch_counts", owner, user_id)
        return [
            row["batch_id"]
            for row in rows
            if status_of(row["count"], row["started"], row["completed"], row["ended"]) == status
        ]

    async def changes(self, owner: str, behind: Mapping[int, int], limit: int) -> list[Changed]:
        """Return an owner's facts from an offset of each partition on, at most `limit` of each, in the log's order."""
        rows = await self._fetch("changes", owner, list(behind), list(behind.values()), limit)
        return [changed(row) for row in rows]

    async def events(self, job_id: str, after: int, limit: int) -> list[tuple[int, int, str, datetime, str]]:
        """Return a job's facts: sequence, offset, type, time and data as JSON text."""
        rows = await self._fetch("events", job_id, after, limit)
        return [(row["sequence"], row["log_offset"], row["type"], row["time"], row["data"]) for row in rows]

    async def deliveries(self, job_id: str) -> list[tuple[str, datetime, str]]:
        """Return the facts about a job's webhooks: type, time and data as JSON text."""
        return [(row["type"], row["time"], row["data"]) for row in await self._fetch("deliveries", job_id)]

    def turn(self) -> AbstractAsyncContextManager[None]:
        """One of the owner's turns for a whole list: its query, and the contents of its rows."""
        return own_turn(self._deadline_s)

    async def _page(self, what: str, filters: Sequence[Any], *page: Any) -> tuple[int, list[asyncpg.Record]]:
        """Return total and page of one snapshot."""
        async with self._planned(f"list_{what}") as connection:
            total = await connection.fetchval(QUERIES[f"count_{what}"], *filters)
            rows = await connection.fetch(QUERIES[f"list_{what}"], *filters, *page)
        return total, rows

    async def _listed(self, name: str, *arguments: Any) -> list[JobRow]:
        async with self._planned(name) as connection:
            return [job_row(row) for row in await connection.fetch(QUERIES[name], *arguments)]

    @asynccontextmanager
    async def _planned(self, name: str) -> AsyncIterator[PoolConnectionProxy]:
        """A snapshot whose statements are planned for their filters: a generic plan would use no index."""
        async with (
            bounded_query(name, self._deadline_s),
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            yield connection

    async def _fetch(self, name: str, *arguments: Any, source: Source | None = None) -> list[asyncpg.Record]:
        async with bounded_query(name, self._deadline_s):
            return await (source or self._pool).fetch(QUERIES[name], *arguments)
