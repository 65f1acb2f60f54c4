"""The rate limit of the paths under /v1: over a real Postgres, several processes' worth of limiters, any clock."""

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid4

import asyncpg
import pytest

from piperoll import keys
from piperoll.postgres import connect_pool
from services.api.http.errors import ReadModelUnavailableError
from services.api.http.rate_limit import WINDOW_S, Quota, RateLimit
from tests.support.stacks.api import a_free_port, refused, serving

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
async def limit(pool: asyncpg.Pool) -> RateLimit:
    await keys.prepare(pool)
    return RateLimit(pool, 5, 5.0)


@pytest.fixture
def key() -> str:
    return uuid4().hex


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


async def ask(limit: RateLimit, key: str, *seconds: float) -> list[Quota]:
    """Requests at some seconds after noon, one after the other."""
    return [await limit.count(key, after(second)) for second in seconds]


async def test_two_processes_together_admit_exactly_the_limit(pool: asyncpg.Pool, database: str, key: str) -> None:
    await keys.prepare(pool)
    other = await connect_pool(database)
    limits = (RateLimit(pool, 100, 30.0), RateLimit(other, 100, 30.0))
    quotas = await asyncio.gather(*(limits[n % 2].count(key) for n in range(250)))
    await other.close()
    assert sum(quota.admitted for quota in quotas) == 100
    assert sorted(quota.used for quota in quotas if quota.admitted) == list(range(1, 101)), "each counted once"
    refused_ones = [quota for quota in quotas if not quota.admitted]
    assert all(0 < quota.frees_s <= WINDOW_S for quota in refused_ones)
    assert {quota.headers["RateLimit-Remaining"] for quota in refused_ones} == {"0"}


async def test_the_window_slides_request_by_request(limit: RateLimit, key: str) -> None:
    quotas = await ask(limit, key, 0, 10, 20, 30, 40, 50, 59.9, 60, 60.1, 70, 70.1, 80)
    assert [quota.admitted for quota in quotas] == [*[True] * 5, False, False, True, False, True, False, True]


async def test_a_refused_request_does_not_put_the_next_one_off(limit: RateLimit, key: str) -> None:
    assert all(quota.admitted for quota in await ask(limit, key, 0, 0, 0, 0, 0))
    for second in range(1, 60):
        assert not (await limit.count(key, after(second))).admitted
    quotas = await ask(limit, key, 60, 60, 60, 60, 60, 60)
    assert [quota.admitted for quota in quotas] == [*[True] * 5, False]


async def test_every_minute_admits_as_many_requests_as_the_limit_allows(limit: RateLimit, key: str) -> None:
    random, now, admitted = Random(4), 0.0, []
    for _ in range(400):
        now += random.choice([0, 0.5, 3, 9, 30])
        recent = [time for time in admitted if time > now - WINDOW_S]
        quota = await limit.count(key, after(now))
        assert quota.admitted == (len(recent) < 5)
        if quota.admitted:
            admitted.append(now)


async def test_each_key_has_its_own_window(limit: RateLimit, key: str) -> None:
    await ask(limit, key, 0, 0, 0, 0, 0, 0)
    assert (await limit.count(f"{key}-other", after(0))).admitted


async def test_clients_get_their_quota_and_the_time_to_retry(limit: RateLimit, key: str) -> None:
    first, *_, last = await ask(limit, key, 0, 12.3, 20, 30, 40)
    assert first.headers == {"RateLimit-Limit": "5", "RateLimit-Remaining": "4", "RateLimit-Reset": "60"}
    assert last.headers == {"RateLimit-Limit": "5", "RateLimit-Remaining": "0", "RateLimit-Reset": "20"}
    refusal = (await limit.count(key, after(59.95))).refusal()
    assert (refusal.status, refusal.code, refusal.headers) == (429, "RATE_LIMITED", {"Retry-After": "1"})
    assert (await limit.count(key, after(61))).headers["RateLimit-Reset"] == "12"


async def test_after_a_lower_limit_the_time_to_retry_is_correct(limit: RateLimit, key: str, pool: asyncpg.Pool) -> None:
    await ask(limit, key, 0, 10, 20, 30, 40)
    lower = RateLimit(pool, 2, 5.0)
    quota = await lower.count(key, after(50))
    assert (quota.admitted, quota.headers["RateLimit-Remaining"]) == (False, "0")
    assert quota.frees_s == 40, "four of the five must leave: the fourth came at 30"
    assert (await lower.count(key, after(90))).admitted


async def test_a_longer_window_is_counted_and_named(pool: asyncpg.Pool, limit: RateLimit, key: str) -> None:
    hourly = RateLimit(pool, 2, 5.0, 3600, "registrations")
    quotas = await ask(hourly, key, 0, 600, 1200)
    assert [quota.admitted for quota in quotas] == [True, True, False]
    refusal = quotas[-1].refusal()
    assert refusal.message == "more than 2 registrations in 3600 s: try again in 2400 s"
    assert (await hourly.count(key, after(3601))).admitted


async def test_without_postgres_the_limiter_is_unavailable(key: str) -> None:
    away = await connect_pool(f"postgresql://user@127.0.0.1:{a_free_port()}/none", min_size=0)
    with pytest.raises(ReadModelUnavailableError):
        await RateLimit(away, 5, 1.0).count(key)
    away.terminate()


async def test_answers_under_v1_carry_the_limit_and_others_do_not(
    environment: dict[str, str], pool: asyncpg.Pool
) -> None:
    pepper = ""
    async with serving({**environment, "PIPEROLL_RATE_LIMIT": "3", "PIPEROLL_KEY_PEPPER": pepper}) as api:
        _, key = await keys.create(pool, pepper, "limited")
        mine = {"Authorization": f"Bearer {key}"}
        replies = [await api.client.get(path, headers=mine) for path in ("/v1/jobs", "/v1/jobs?limit=0", "/v1/none")]
        assert [reply.status_code for reply in replies] == [200, 400, 404]
        assert [reply.headers["RateLimit-Remaining"] for reply in replies] == ["2", "1", "0"]
        reply = await api.client.get("/v1/jobs", headers=mine)
        refused(reply, 429, "RATE_LIMITED")
        assert reply.json()["success"] is False
        assert 1 <= int(reply.headers["Retry-After"]) <= 60
        assert reply.headers["RateLimit-Limit"] == "3"
        for path in ("/api/jobs/", "/api/health/live"):
            other = await api.client.get(path, headers=mine)
            assert (other.status_code, "RateLimit-Limit" in other.headers) == (200, False)
        assert (await api.client.get("/v1/jobs")).status_code == 200, "another key has a minute of its own"
        stranger = await api.client.get("/v1/jobs", headers={"Authorization": "Bearer none"})
        refused(stranger, 401, "UNAUTHORIZED")
        assert "RateLimit-Limit" not in stranger.headers
