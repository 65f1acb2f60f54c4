"""Withdrawal and forgetting in pieces: each reads what it changes and waits for no other transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import pytest

from piperoll.postgres import migrate
from services.notifier.notices.queue import PIECE, SQL, NoticeQueue, end_endpoint
from services.notifier.outbox import Connection
from tests.support.notifier.plans import explain, nodes

ROWS = 20_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def queue(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Pool]:
    """The notifier's tables with as many open changes of an ended and of an active endpoint, in turns."""
    await pool.execute("DROP SCHEMA IF EXISTS notifier CASCADE")
    await migrate(pool, "services.notifier", "notifier.sql")
    await pool.execute(
        """INSERT INTO notifier.endpoints (endpoint_id, owner, state, statuses, since)
        VALUES ('ended', 'left', 'removed', '{}', now()), ('active', 'stays', 'on', '{}', now())"""
    )
    await pool.execute(
        """INSERT INTO notifier.notices (job_id, endpoint_id, owner, origin, changes, taken, next_attempt_at)
        SELECT 'job-' || lpad(n::text, 6, '0'), (ARRAY['ended', 'active'])[n % 2 + 1], 'left', 'http://192.0.2.1:80',
            '[{"number": 1, "status": "DONE", "at": "2026-01-01T00:00:00Z"}]', 1, now()
        FROM generate_series(1, $1::int) AS n ORDER BY md5(n::text)""",
        ROWS,
    )
    await pool.execute(
        """INSERT INTO notifier.followed (job_id, owner, sequence, job)
        SELECT 'job-' || lpad(n::text, 6, '0'), (ARRAY['left', 'stays'])[n % 2 + 1], 1, '{}'
        FROM generate_series(1, $1::int) AS n ORDER BY md5(n::text)""",
        ROWS,
    )
    await pool.execute("ANALYZE notifier.notices, notifier.followed")
    yield pool
    await pool.execute("DROP SCHEMA notifier CASCADE")


@asynccontextmanager
async def undone(pool: asyncpg.Pool) -> AsyncIterator[Connection]:
    """A transaction that is rolled back."""
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            yield connection
        finally:
            await transaction.rollback()


@pytest.mark.parametrize(
    ("statement", "index", "name"),
    [("withdraw", "notices_open_of_endpoint", "ended"), ("forget_followed", "followed_of_owner", "left")],
)
async def test_a_piece_reads_no_more_than_it_changes(
    queue: asyncpg.Pool, statement: str, index: str, name: str
) -> None:
    async with undone(queue) as connection:
        plan = await explain(connection, SQL[statement], name, PIECE)
    assert index in {node.get("Index Name") for node in nodes(plan)}
    assert not {"Seq Scan", "Sort"} & {node["Node Type"] for node in nodes(plan)}
    read = max(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in nodes(plan))  # type: ignore[operator]
    assert read <= PIECE


async def test_the_withdrawal_leaves_rows_that_another_transaction_holds_to_the_next_one(queue: asyncpg.Pool) -> None:
    sweep = NoticeQueue(queue, "one")
    async with undone(queue) as other:
        await other.execute(
            "SELECT FROM notifier.notices WHERE endpoint_id = 'ended' ORDER BY job_id LIMIT 3 FOR UPDATE"
        )
        async with queue.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL lock_timeout = '5s'")
            await end_endpoint(connection, "ended", "removed", NOW)
        while await sweep.withdraw_ended(NOW):
            pass
        assert await still_open(queue) == ["job-000002", "job-000004", "job-000006"]
    await sweep.withdraw_ended(NOW)
    assert await still_open(queue) == []
    assert await queue.fetchval("SELECT count(DISTINCT job_id) FROM notifier.outbox") == ROWS // 2


async def test_a_schema_of_an_earlier_release_gets_the_indexes_of_the_pieces(queue: asyncpg.Pool) -> None:
    await queue.execute("DROP INDEX IF EXISTS notifier.notices_open_of_endpoint, notifier.followed_of_owner")
    await queue.execute(
        """CREATE INDEX IF NOT EXISTS notices_open ON notifier.notices (endpoint_id) WHERE next_attempt_at IS NOT NULL;
        CREATE INDEX IF NOT EXISTS followed_by_owner ON notifier.followed (owner)"""
    )
    for _ in range(2):
        await migrate(queue, "services.notifier", "notifier.sql")
    found = {row[0] for row in await queue.fetch("SELECT indexname FROM pg_indexes WHERE schemaname = 'notifier'")}
    assert found >= {"notices_open_of_endpoint", "followed_of_owner"}
    assert not found & {"notices_open", "followed_by_owner"}
    assert await NoticeQueue(queue, "one").withdraw_ended(NOW) == PIECE


async def still_open(pool: asyncpg.Pool) -> list[str]:
    """The jobs with open changes of the ended endpoint."""
    rows = await pool.fetch(
        "SELECT job_id FROM notifier.notices "
        "WHERE endpoint_id = 'ended' AND next_attempt_at IS NOT NULL ORDER BY job_id"
    )
    return [row["job_id"] for row in rows]
