"""Requests for the redelivery of all webhooks of a receiver, over a real Kafka, Postgres and projector."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from piperoll.postgres import load_queries
from schemas.events import WebhookDelivered
from tests.support.stacks.api import Api, refused
from tests.support.stacks.redelivery import LONG_AGO, deliveries, found, gone, hooked_job, record

ROWS = 100_000


async def test_webhooks_of_a_receiver_are_counted_and_requested_once(api: Api) -> None:
    origin = "https://down.example:8443"
    jobs = [await hooked_job(api) for _ in range(4)]
    for job_id in jobs[:3]:
        await record(api, job_id, gone(job_id, origin, "TOO_OLD"))
    await record(api, jobs[3], gone(jobs[3]))
    delivered = WebhookDelivered(**found(jobs[2]), attempt=1, status=200, duration_ms=1)
    await record(api, jobs[2], delivered)
    wanted = {"origin": f"{origin}/", "since": LONG_AGO}
    assert await many(api, wanted) == {"count": 2, "left": 2, "dry_run": True}
    assert [len(await deliveries(api, job_id)) for job_id in jobs] == [1, 1, 2, 1], "nothing was asked for"
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert (await many(api, {**wanted, "since": later}))["count"] == 0
    assert await many(api, {**wanted, "dry_run": False}) == {"count": 2, "left": 0, "dry_run": False}
    for job_id in jobs[:2]:
        assert [one["outcome"] for one in await deliveries(api, job_id)] == ["abandoned", "requested"]
    assert await many(api, {**wanted, "dry_run": False}) == {"count": 0, "left": 0, "dry_run": False}
    refused(await api.client.post("/api/deliveries/redeliver", json={"since": LONG_AGO}), 400, "INVALID_PARAMETERS")


async def test_webhooks_of_other_owners_are_not_requested(api: Api, pool: asyncpg.Pool) -> None:
    origin = "https://shared.example:443"
    mine, theirs = [await hooked_job(api) for _ in range(2)]
    for job_id in (mine, theirs):
        await record(api, job_id, gone(job_id, origin))
    await pool.execute("UPDATE read_v1.jobs SET owner = 'another-owner' WHERE job_id = $1", theirs)
    assert await many(api, {"origin": origin, "since": LONG_AGO}) == {"count": 1, "left": 1, "dry_run": True}


async def many(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    reply = await api.client.post("/api/deliveries/redeliver", json=body)
    assert reply.status_code == 200, reply.text
    return dict(reply.json()["data"])


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_webhooks_of_one_receiver_are_found_among_100_000_without_reading_the_others(
    api: Api, pool: asyncpg.Pool, mode: str
) -> None:
    async with pool.acquire() as connection, undone(connection):
        await connection.execute(
            """INSERT INTO read_v1.jobs (job_id, partition, owner, job_type, status, sequence, created, erased,
                created_at, updated_at)
            SELECT 'many-' || n, 0, 'owner-' || n % 2, 'noop', 'completed', 3, true, false, now(), now()
            FROM generate_series(1, $1::int) AS n""",
            ROWS,
        )
        await connection.execute(
            """INSERT INTO read_v1.deliveries (job_id, partition, log_offset, type, time, data, ce_id)
            SELECT 'many-' || n, 0, 1000000 + n, 'piperoll.WebhookAbandoned.v1', now(),
                json_build_object('phase', 'completed',
                    'origin_sha256', encode(sha256(('https://many.example:' || n % 1000)::bytea), 'hex')), 'fact-' || n
            FROM generate_series(1, $1::int) AS n""",
            ROWS,
        )
        await connection.execute("ANALYZE read_v1.deliveries, read_v1.jobs")
        await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
        unsent = load_queries("services.api.redelivery", "redelivery.sql")["unsent"]
        since = datetime(2026, 1, 1, tzinfo=UTC)
        explained = await connection.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {unsent}", "owner-1", "https://many.example:7", since, 1000
        )
        read = [node for node in nodes(json.loads(explained)[0]["Plan"]) if node.get("Relation Name") == "deliveries"]
        assert len(read) == 2
        for node in read:
            assert node["Node Type"] != "Seq Scan"
            assert node["Actual Rows"] + node.get("Rows Removed by Filter", 0) <= ROWS / 1000


@asynccontextmanager
async def undone(connection: Any) -> AsyncIterator[None]:
    """A transaction that is rolled back."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """All nodes of a plan."""
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]
