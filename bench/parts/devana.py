"""The list of the Devana API over a million jobs of one day: the time of its statements by filter, and their plans.

Uses a separate database, whose rows are written directly.
"""

import json
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
from starlette.datastructures import QueryParams

from bench.report import Row, Table, p50_p99
from piperoll import keys
from piperoll.domain.job import CODEC, Job, Status
from piperoll.embedded.postgres import EmbeddedPostgres
from piperoll.postgres import connect_pool, load_queries
from schemas.claims import Claim
from schemas.read_model_names import READ_SCHEMA
from services.api.devana_jobs.requests import DevanaJobsQuery
from services.api.http.rate_limit import RateLimit
from services.api.read_model.jobs import QUERIES, ReadModel
from services.projector.database.schema import create_tables

JOBS = 1_000_000
CALLS = 300
OWNER = "bench"
AIM_MS = 10.0
COLUMNS = ("Query", "Jobs shown", "p50", "p99", f"p99 ≤ {AIM_MS:g}", "Sequential scan")
FILTERS = (
    "",
    "limit=100&offset=1000",
    "type=EXTRACTION",
    "type=EXTRACTION&limit=100&offset=1000",
    "type=SYNC",
    "type=IN_PROGRESS",
    "type=ERROR",
    "type=EXTRACTION&status=ERROR",
    "type=SYNC&status=PENDING",
    "targetId=doc-1000",
    "targetId=doc-1000&type=EXTRACTION",
    "targetId=folder-of-many",
    "targetId=folder-of-many&limit=100&offset=1000",
    "targetId=folder-of-many&type=SYNC",
    "targetId=folder-of-many&type=ERROR",
    "targetId=batch-5",
    "targetId=batch-5&type=ERROR",
    "targetId=job-00000000-0000-4000-8000-000000000000",
)
SQL = load_queries("bench.parts", "devana.sql")


async def measure(data: Path) -> Table:
    """Start a Postgres in a new folder in `data`, fill a database and measure."""
    with TemporaryDirectory(prefix="piperoll-bench-", dir=data) as folder:
        async with EmbeddedPostgres(Path(folder), "bench") as postgres:
            await postgres.create_database("devana_list")
            dsn = postgres.dsn("devana_list")
            pool, connection = await connect_pool(dsn), await asyncpg.connect(dsn)
            try:
                return await _measure(pool, connection)
            finally:
                await connection.close()
                await pool.close()


async def _measure(pool: asyncpg.Pool, connection: asyncpg.Connection) -> Table:
    await create_tables(connection, READ_SCHEMA)
    await fill(connection, JOBS)
    rows = [await _row(connection, ReadModel(pool, 30.0), query) for query in FILTERS]
    await keys.prepare(pool)
    limit = RateLimit(pool, CALLS, 30.0)
    p50, p99 = await _timed(lambda: limit.count(OWNER))
    rows.append(("rate limit of the key", "", f"{p50:.1f}", f"{p99:.1f}", "", ""))
    note = (
        f"{CALLS} calls each: the statement of the API's own read model, rows decoded, without HTTP. All jobs have "
        f"one owner; a batch has {JOBS // 100:,}, `folder-of-many` {JOBS // 5:,} jobs."
    )
    return Table(f"`GET /v1/jobs` over {JOBS:,} jobs of one day, in ms", COLUMNS, rows, note)


async def fill(connection: asyncpg.Connection, jobs: int) -> None:
    """Write the rows, and update the table's statistics."""
    await connection.execute(SQL["fill"], jobs, CODEC.dump_json(_typical_job()).decode(), timeout=900)
    await connection.execute(SQL["analyze"], timeout=900)


def arguments(asked: DevanaJobsQuery) -> tuple[str, list[Any]]:
    """Return the name of the statement and its arguments."""
    given = [OWNER, asked.job_types, asked.statuses, asked.limit, asked.offset]
    return ("devana_jobs", given) if asked.target_id is None else ("devana_jobs_of_target", [*given, asked.target_id])


async def plan(connection: asyncpg.Connection, asked: DevanaJobsQuery) -> list[dict[str, Any]]:
    """Execute the query of a page; return the nodes of its plan."""
    name, given = arguments(asked)
    found = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {QUERIES[name]}", *given)
    return list(_nodes(json.loads(found)[0]["Plan"]))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


async def _row(connection: asyncpg.Connection, read_model: ReadModel, query: str) -> Row:
    asked = DevanaJobsQuery.of(QueryParams(query))
    filters = (OWNER, asked.job_types, asked.statuses)

    def call() -> Awaitable[list[Any]]:
        return read_model.devana_jobs(filters, asked.target_id, asked.limit, asked.offset)

    p50, p99 = await _timed(call)
    scans_all = any(node["Node Type"] == "Seq Scan" for node in await plan(connection, asked))
    return (
        f"`{query or '(no filter)'}`",
        str(len(await call())),
        f"{p50:.1f}",
        f"{p99:.1f}",
        "yes" if p99 <= AIM_MS else "no",
        "yes" if scans_all else "none",
    )


async def _timed(call: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Return p50 and p99 of CALLS calls, in ms."""
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        await call()
        times.append(time.perf_counter() - began)
    return p50_p99(times)


def _typical_job() -> Job:
    now = datetime.now(UTC)
    job_id = "job-00000000-0000-4000-8000-000000000000"
    claim = Claim(uri=f"{job_id}/in/{'a' * 64}", sha256="a" * 64, size=300)
    return Job(
        job_id=job_id,
        owner=OWNER,
        status=Status.COMPLETED,
        created_at=now,
        updated_at=now,
        created=True,
        job_type="pdf",
        body_sha256="b" * 64,
        parameters=claim,
        result=claim,
        attempt=1,
        run="c" * 32,
        worker="worker",
        started_at=now,
        ended_at=now,
        step="completed",
        percent=100,
    )
