"""Requests for redelivery, over a real Kafka, Postgres and projector, without a notifier."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from piperoll.clock import utc_now
from piperoll.postgres import load_queries
from piperoll.webhooks.origins import digest_of
from schemas.envelope import Fact
from schemas.events import Event, JobStarted, WebhookAbandoned, WebhookDelivered, WebhookFailed
from schemas.ids import delivery_id, draw_run, event_id
from schemas.topics import JOB_DELIVERIES
from tests.support.stacks.api import Api, refused, serving
from tests.support.waiting import wait_until

HOOKED: dict[str, Any] = {"job_type": "noop", "parameters": {"webhook": {"url": "https://example.com/hook"}}}
ORIGIN = "https://example.com:443"
LONG_AGO = "2026-01-01T00:00:00Z"
ROWS = 100_000


@pytest.fixture(scope="module")
async def api(environment: dict[str, str]) -> AsyncIterator[Api]:
    """The API beside a projector."""
    async with serving(environment) as serving_api:
        yield serving_api


def found(job_id: str) -> dict[str, Any]:
    return {"delivery_id": delivery_id(job_id, "final"), "phase": "completed"}


def gone(job_id: str, origin: str = ORIGIN, reason: str = "GONE") -> Event:
    return WebhookAbandoned(**found(job_id), attempt=1, reason=reason, origin_sha256=digest_of(origin))


async def record(api: Api, job_id: str, *data: Event, owner: str = "local") -> None:
    """Append facts as the notifier would, and wait until the deliveries of the job show them."""
    before = len(await deliveries(api, job_id))
    for one in data:
        fact = Fact(event_id(draw_run(), type(one).__name__), job_id, owner, utc_now(), "tests", one)
        await api.appender.append(JOB_DELIVERIES, fact)

    async def shown() -> bool:
        return len(await deliveries(api, job_id)) == before + len(data)

    await wait_until(shown, 20, f"the deliveries of {job_id}")


async def deliveries(api: Api, job_id: str) -> list[dict[str, Any]]:
    reply = await api.client.get(f"/api/jobs/{job_id}/deliveries")
    assert reply.status_code == 200, reply.text
    return list(reply.json()["data"]["deliveries"])


async def hooked_job(api: Api) -> str:
    """A job with a webhook that has ended."""
    job_id = await api.create(HOOKED)
    await api.run(job_id)
    return job_id


async def ask(api: Api, job_id: str, **body: Any) -> Any:
    return await api.client.post(f"/api/jobs/{job_id}/deliveries/redeliver", json=body)


async def test_a_redelivery_request_is_listed_as_soon_as_it_is_answered(api: Api) -> None:
    job_id = await hooked_job(api)
    await record(api, job_id, gone(job_id))
    reply = await ask(api, job_id)
    assert reply.status_code == 200, reply.text
    answered = reply.json()["data"]
    assert answered.items() >= {"job_id": job_id, "delivery_id": delivery_id(job_id, "final")}.items()
    assert reply.headers["Piperoll-Position"].count(":") == 1
    abandoned, requested = await deliveries(api, job_id)
    assert abandoned["outcome"] == "abandoned"
    assert "origin_sha256" not in abandoned
    assert (requested["outcome"], requested["request"], requested["by"]) == ("requested", answered["request"], "local")
    assert requested["phase"] == "completed"
    assert "Webhook (completed) was requested again" in [one["message"] for one in (await api.job(job_id))["logs"]]


async def test_a_webhook_has_one_pending_redelivery_at_a_time(api: Api) -> None:
    job_id = await hooked_job(api)
    await record(api, job_id, gone(job_id))
    first = await ask(api, job_id, delivery_id=delivery_id(job_id, "final"))
    assert first.status_code == 200, first.text
    refused(await ask(api, job_id), 409, "CONFLICT")
    request = first.json()["data"]["request"]
    delivered = WebhookDelivered(**found(job_id), attempt=2, status=200, duration_ms=1, request=request)
    await record(api, job_id, delivered)
    assert (await ask(api, job_id)).status_code == 200, "a delivered hook may be asked for too"


async def test_a_redelivery_that_is_impossible_is_refused_with_the_reason(api: Api) -> None:
    without = await api.create()
    await api.run(without)
    running = await api.create(HOOKED)
    await api.happen(running, JobStarted(number=1, run="r", worker="w"))
    waiting = await hooked_job(api)
    again = WebhookFailed(**found(waiting), attempt=1, reason="TIMEOUT", duration_ms=1, next_attempt_at=LONG_AGO)
    await record(api, waiting, again)
    for job_id, reason in (
        (without, "has no webhook"),
        (running, "has not ended"),
        (waiting, "still on its own schedule"),
    ):
        await wait_until(lambda job=job_id: reached(api, job), 20, "the job's status")  # type: ignore[misc]
        reply = await ask(api, job_id)
        refused(reply, 409, "CONFLICT")
        assert reason in reply.json()["error"]["message"]
    reply = await ask(api, waiting)
    assert reply.json()["error"]["details"] == {"next_attempt_at": LONG_AGO}
    refused(await ask(api, waiting, delivery_id="msg_other"), 404, "NOT_FOUND")
    refused(await ask(api, "job-00000000-0000-4000-8000-000000000000"), 404, "NOT_FOUND")
    refused(await ask(api, waiting, delivery=1), 400, "INVALID_REQUEST")


async def reached(api: Api, job_id: str) -> bool:
    return str((await api.job(job_id))["status"]) != "pending"


async def test_an_erased_job_has_no_redelivery(api: Api) -> None:
    job_id = await hooked_job(api)
    await record(api, job_id, gone(job_id))
    assert (await api.client.delete(f"/api/jobs/{job_id}")).status_code == 200
    refused(await ask(api, job_id), 404, "NOT_FOUND")


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
