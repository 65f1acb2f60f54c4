"""The list of the Devana API over a million jobs of one day: how long its statements take, by filter, and their plans.

Works in a database of its own, whose rows are written directly. `python -m bench.devana_list` measures this alone.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
from rich.console import Console
from starlette.datastructures import QueryParams

from bench.report import Table, show
from piperoll import keys
from piperoll.domain.job import CODEC, Job, Status
from piperoll.embedded.postgres import EmbeddedPostgres
from piperoll.postgres import connect_pool, load_queries
from schemas.claims import Claim
from schemas.read_model import READ_SCHEMA
from services.api.devana_jobs.requests import DevanaJobsQuery
from services.api.http.rate_limit import RateLimit
from services.api.read_model.jobs import QUERIES, ReadModel
from services.projector.tables.schema import create_tables

JOBS = 1_000_000
CALLS = 300
OWNER = "bench"
AIM_MS = 10.0
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
SQL = load_queries("bench", "devana.sql")


@dataclass(frozen=True, slots=True)
class Listed:
    """One query string: rows of its page, milliseconds of a call, and the kinds of scans in its plan."""

    query: str
    rows: int
    p50: float
    p99: float
    scans: frozenset[str]


async def measure(postgres: EmbeddedPostgres, jobs: int = JOBS) -> Table:
    """Fills a database and measures."""
    await postgres.create_database("devana_list")
    pool = await connect_pool(postgres.dsn("devana_list"))
    connection = await asyncpg.connect(postgres.dsn("devana_list"))
    try:
        await create_tables(connection, READ_SCHEMA)
        await fill(connection, jobs)
        listed = [await _listed(connection, ReadModel(pool, 30.0), query) for query in FILTERS]
        await keys.prepare(pool)
        return _table(jobs, listed, await _limited(RateLimit(pool, CALLS, 30.0)))
    finally:
        await connection.close()
        await pool.close()


async def fill(connection: asyncpg.Connection, jobs: int) -> None:
    """Writes the rows, and gives the table its statistics."""
    await connection.execute(SQL["fill"], jobs, CODEC.dump_json(_typical_job()).decode(), timeout=900)
    await connection.execute(SQL["analyze"], timeout=900)


def arguments(asked: DevanaJobsQuery) -> tuple[str, list[Any]]:
    """The statement that answers, and what it is given."""
    given = [OWNER, asked.job_types, asked.statuses, asked.limit, asked.offset]
    return ("devana_jobs", given) if asked.target_id is None else ("devana_jobs_of_target", [*given, asked.target_id])


async def plan(connection: asyncpg.Connection, asked: DevanaJobsQuery) -> list[dict[str, Any]]:
    """The nodes of the plan of a page, as they ran."""
    name, given = arguments(asked)
    found = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {QUERIES[name]}", *given)
    return list(_nodes(json.loads(found)[0]["Plan"]))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


async def _listed(connection: asyncpg.Connection, read_model: ReadModel, query: str) -> Listed:
    asked = DevanaJobsQuery.of(QueryParams(query))
    filters = (OWNER, asked.job_types, asked.statuses)
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        rows = await read_model.devana_jobs(filters, asked.target_id, asked.limit, asked.offset)
        times.append(time.perf_counter() - began)
    nodes = await plan(connection, asked)
    scans = frozenset(node["Node Type"] for node in nodes if "Scan" in node["Node Type"])
    return Listed(query, len(rows), *_middle_and_tail(times), scans)


async def _limited(limit: RateLimit) -> tuple[float, float]:
    """The statement of the rate limit, its window filling up."""
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        await limit.ask("bench")
        times.append(time.perf_counter() - began)
    return _middle_and_tail(times)


def _table(jobs: int, listed: list[Listed], limited: tuple[float, float]) -> Table:
    rows = [
        (
            f"`{one.query or '(no filter)'}`",
            str(one.rows),
            f"{one.p50:.1f}",
            f"{one.p99:.1f}",
            "yes" if one.p99 <= AIM_MS else "no",
            "yes" if "Seq Scan" in one.scans else "none",
        )
        for one in listed
    ]
    rows.append(("rate limit of the key", "", f"{limited[0]:.1f}", f"{limited[1]:.1f}", "", ""))
    title = f"`GET /v1/jobs` over {jobs:,} jobs of one day, in ms"
    columns = ("Query", "Jobs shown", "p50", "p99", f"p99 ≤ {AIM_MS:g}", "Sequential scan")
    note = (
        f"Of {CALLS} calls each: the statement from the API's own read model, rows decoded, without HTTP. All jobs are "
        f"one owner's; a batch has {jobs // 100:,}, `folder-of-many` {jobs // 5:,} jobs."
    )
    return Table(title, columns, list(rows), note)


def _middle_and_tail(seconds: list[float]) -> tuple[float, float]:
    cuts = quantiles(seconds, n=100, method="inclusive")
    return 1000 * cuts[49], 1000 * cuts[98]


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


async def apart(where: Path | None = None) -> Table:
    """Measures with a Postgres of its own, in a new folder under `where`."""
    with TemporaryDirectory(prefix="piperoll-bench-", dir=where) as folder:
        async with EmbeddedPostgres(Path(folder), "bench") as postgres:
            return await measure(postgres)


if __name__ == "__main__":
    show(Console(width=140), asyncio.run(apart()))
