"""The statements behind `GET /v1/jobs` over a hundred thousand rows: by plan, whatever is filtered for."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from starlette.datastructures import QueryParams

from bench.parts.devana import FILTERS, fill, plan
from schemas.read_model_names import READ_SCHEMA
from services.api.devana_jobs.requests import DevanaJobsQuery
from services.projector.database.schema import create_tables

JOBS = 100_000
MODES = ("force_custom_plan", "force_generic_plan")  # a prepared statement may come to use either


@pytest.fixture(scope="module")
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    connected = await asyncpg.connect(database)
    await create_tables(connected, READ_SCHEMA)
    await fill(connected, JOBS)
    yield connected
    await connected.close()


def most_rows(asked: DevanaJobsQuery) -> int:
    """What a page may read at most: as many rows as it ends at, of each type and status."""
    return (asked.limit + asked.offset) * len(asked.job_types) * len(asked.statuses)


@pytest.mark.parametrize("query", FILTERS)
@pytest.mark.parametrize("mode", MODES)
async def test_no_filter_makes_a_list_read_more_than_its_pages(
    connection: asyncpg.Connection, query: str, mode: str
) -> None:
    await connection.execute(f"SET plan_cache_mode = {mode}")
    asked = DevanaJobsQuery.of(QueryParams(query))
    for node in await plan(connection, asked):
        assert node["Node Type"] not in ("Seq Scan", "Bitmap Heap Scan"), "it goes by an index, in the index's order"
        passed_over = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        assert passed_over * node["Actual Loops"] <= asked.limit
        assert node["Actual Rows"] * node["Actual Loops"] <= most_rows(asked)


async def test_the_rows_are_as_skewed_as_the_plans_are_asserted_for(connection: asyncpg.Connection) -> None:
    for condition, least, most in (
        ("status = 'processing'", 1, 10),
        ("status = 'failed'", 20, 200),
        ("job_type = 'sync'", 1, 20),
        ("target_id = 'folder-of-many'", JOBS / 10, JOBS / 4),
        ("batch_id = 'batch-5'", JOBS / 200, JOBS / 50),
    ):
        count = await connection.fetchval(f"SELECT count(*) FROM read_v1.jobs WHERE {condition} AND NOT erased")
        assert least <= count <= most, condition
