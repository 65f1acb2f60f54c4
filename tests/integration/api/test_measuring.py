"""What is measured of completed and open jobs, over a hundred thousand rows: the numbers, and the plans by which they
are read."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from bench.parts.devana import OWNER, fill
from piperoll.clock import utc_now
from piperoll.postgres import load_queries
from schemas.job_types.registry import OWN
from schemas.read_model_names import READ_SCHEMA
from services.api.outlook.observing import NEWEST, Observer
from services.projector.database.schema import create_tables

JOBS = 100_000
QUERIES = load_queries("services.api.outlook", "outlook.sql")
OTHER = "another owner"


@pytest.fixture(scope="module")
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    connected = await asyncpg.connect(database)
    await create_tables(connected, READ_SCHEMA)
    await fill(connected, JOBS)
    await connected.execute(
        "UPDATE read_v1.jobs SET owner = $1 WHERE job_id IN ("
        "SELECT job_id FROM read_v1.jobs WHERE status = 'pending' AND job_type = 'pdf' AND NOT erased LIMIT 20)",
        OTHER,
    )
    await connected.execute("VACUUM (ANALYZE) read_v1.jobs")
    yield connected
    await connected.close()


async def plan(connection: asyncpg.Connection, name: str, *given: Any) -> list[dict[str, Any]]:
    found = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {QUERIES[name]}", *given)
    return list(nodes(json.loads(found)[0]["Plan"]))


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize(
    ("name", "given", "most"),
    [("completed", ("pdf", NEWEST), 2 * NEWEST), ("waiting", (OWN.names,), 1000), ("running", (OWN.names, 100), 200)],
    ids=["completed", "waiting", "running"],
)
async def test_what_is_measured_is_read_by_indexes_and_no_more_than_that(
    connection: asyncpg.Connection, mode: str, name: str, given: tuple[Any, ...], most: int
) -> None:
    await connection.execute(f"SET plan_cache_mode = {mode}")
    for node in await plan(connection, name, *given):
        assert node["Node Type"] != "Seq Scan", node
        assert node["Actual Rows"] * node["Actual Loops"] <= most, node


async def test_the_outlook_has_the_newest_jobs_of_a_type_and_the_open_ones_of_all_owners(
    connection: asyncpg.Connection, database: str
) -> None:
    async with asyncpg.create_pool(database, min_size=1, max_size=2) as pool:
        outlook = await Observer(pool, utc_now, 30).outlook(["pdf", "no-such-type"])
    assert len(outlook.samples["pdf"]) == NEWEST
    assert outlook.samples["no-such-type"] == ()
    assert all(one.seconds >= 0 for one in outlook.samples["pdf"])
    counted = await connection.fetch(
        "SELECT owner, job_type, count(*) AS number FROM read_v1.jobs"
        " WHERE status = 'pending' AND NOT erased GROUP BY owner, job_type"
    )
    waiting = {(row["owner"], row["job_type"]): row["number"] for row in counted}
    assert {owner for owner, _ in waiting} == {OWNER, OTHER}
    assert {(one.owner, one.job_type): one.number for one in outlook.waiting} == waiting
    running = await connection.fetchval("SELECT count(*) FROM read_v1.jobs WHERE status = 'processing' AND NOT erased")
    assert len(outlook.running) == running > 0
