"""The statement that deletes expired deliveries: bounded, oldest first, by an index."""

import pytest

from services.projector.database.schema import queries
from tests.support.notifier.plans import explain as explained
from tests.support.notifier.plans import nodes
from tests.support.projector.tables import Projecting

ROWS = 20_000


@pytest.fixture
async def expiring(projecting: Projecting) -> Projecting:
    """A table whose partition 0 has these rows, and whose partition 1 has as many."""
    await projecting.pool.execute(
        f"INSERT INTO {projecting.schema}.deliveries "
        "SELECT 'job-' || n, n % 2, n, 'piperoll.WebhookDelivered.v1', now(), '{}', n::text "
        f"FROM generate_series(1, {ROWS}) n"
    )
    await projecting.pool.execute(f"ANALYZE {projecting.schema}.deliveries")
    return projecting


async def test_a_piece_is_the_oldest_rows_of_its_partition(expiring: Projecting) -> None:
    statement = queries("queries.sql", expiring.schema)["expire_deliveries"]
    assert await expiring.pool.fetchval(statement, 0, 101, 30) == 30
    kept = [row["log_offset"] for row in await expiring.rows("deliveries", "log_offset LIMIT 70")]
    assert kept[:35] == [*range(1, 61, 2), *range(61, 66)]
    assert [await expiring.pool.fetchval(statement, 0, 101, 30) for _ in range(2)] == [20, 0]
    assert await expiring.pool.fetchval(f"SELECT count(*) FROM {expiring.schema}.deliveries") == ROWS - 50


@pytest.mark.parametrize("before", [0, ROWS // 2])
async def test_it_reads_no_more_than_it_deletes(expiring: Projecting, before: int) -> None:
    statement = queries("queries.sql", expiring.schema)["expire_deliveries"]
    async with expiring.pool.acquire() as connection:
        plan = await explained(connection, statement, 0, before, 100)
    assert "deliveries_by_place" in {node.get("Index Name") for node in nodes(plan)}
    assert "Seq Scan" not in {node["Node Type"] for node in nodes(plan)}
