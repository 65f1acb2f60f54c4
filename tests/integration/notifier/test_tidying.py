"""The sweep of the notifier's tables in pieces: a piece finds the rows that it changes by their keys."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest

from piperoll.postgres import migrate
from services.notifier.hooks.queue import SQL as HOOKS
from services.notifier.notices.queue import SQL as NOTICES
from services.notifier.sweep import GROUP, KEEP_S
from tests.support.notifier.plans import explain, nodes

ROWS = 20_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PATIENCE_S = 86400.0
GIVEN_UP = (GROUP, PATIENCE_S, NOW)
REMOVED = (GROUP, KEEP_S)


@pytest.fixture(scope="module")
async def tables(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Pool]:
    """The notifier's tables with as many rows to be held, given up, removed and kept, in turns."""
    await pool.execute("DROP SCHEMA IF EXISTS notifier CASCADE")
    await migrate(pool, "services.notifier", "notifier.sql")
    await pool.execute(
        """INSERT INTO notifier.queue (job_id, partition, owner, origin, url, state, next_attempt_at, final_at, seen_at)
        SELECT 'job-' || lpad(n::text, 6, '0'), 0, 'acme', 'http://192.0.2.1:80', 'http://192.0.2.1/',
            (ARRAY['late', 'open', 'delivered', 'delivered'])[n % 4 + 1],
            CASE WHEN n % 4 = 1 THEN now() END, timestamptz '2025-06-01',
            CASE WHEN n % 4 = 3 THEN now() ELSE timestamptz '2025-06-01' END
        FROM generate_series(1, $1::int) AS n ORDER BY md5(n::text)""",
        ROWS,
    )
    await pool.execute(
        """INSERT INTO notifier.notices (job_id, endpoint_id, owner, origin, changes, taken, next_attempt_at, seen_at)
        SELECT 'job-' || lpad(n::text, 6, '0'), 'endpoint-1', 'acme', 'http://192.0.2.1:80',
            '[{"number": 1, "status": "DONE", "at": "2025-06-01T00:00:00Z"}]', 1,
            CASE WHEN n % 2 = 0 THEN now() END, timestamptz '2025-06-01'
        FROM generate_series(1, $1::int) AS n ORDER BY md5(n::text)""",
        ROWS,
    )
    await pool.execute(
        """INSERT INTO notifier.followed (job_id, owner, sequence, job, seen_at)
        SELECT 'job-' || lpad(n::text, 6, '0'), 'acme', 1, '{}',
            CASE WHEN n % 2 = 0 THEN now() ELSE timestamptz '2025-06-01' END
        FROM generate_series(1, $1::int) AS n ORDER BY md5(n::text)""",
        ROWS,
    )
    await pool.execute("ANALYZE notifier.queue, notifier.notices, notifier.followed")
    yield pool
    await pool.execute("DROP SCHEMA notifier CASCADE")


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        pytest.param(HOOKS["hold_late"], (GROUP,), id="hold late hooks"),
        pytest.param(HOOKS["give_up"], GIVEN_UP, id="give hooks up"),
        pytest.param(HOOKS["remove_old"], REMOVED, id="remove hooks"),
        pytest.param(NOTICES["give_up"], GIVEN_UP, id="give notices up"),
        pytest.param(NOTICES["remove_old"], REMOVED, id="remove notices"),
        pytest.param(NOTICES["remove_old_followed"], REMOVED, id="remove folds"),
    ],
)
async def test_a_piece_finds_the_rows_that_it_changes_by_their_keys(
    tables: asyncpg.Pool, statement: str, arguments: tuple[object, ...]
) -> None:
    async with tables.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            plan = await explain(connection, statement, *arguments)
        finally:
            await transaction.rollback()
    chosen = [inner for node in nodes(plan) if node.get("Parent Relationship") == "InitPlan" for inner in nodes(node)]
    changing = [node for node in nodes(plan) if node not in chosen]
    assert "Seq Scan" not in {node["Node Type"] for node in changing}
    read = [node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in changing]  # type: ignore[operator]
    assert max(read) == GROUP
