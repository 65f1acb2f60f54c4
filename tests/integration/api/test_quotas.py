"""Quotas over a real read model: open jobs and stored bytes of one owner; repeats and other owners are not refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import httpx
import pytest

from piperoll import keys
from piperoll.settings import Settings
from services.api.http.admission import QUERIES_OF_OWNER
from services.api.jobs.listing import JobListing
from services.api.jobs.views import JobContents
from services.api.read_model.job_rows import JobRow
from services.api.read_model.jobs import QUERIES
from tests.support.stacks.api import BOUND_S, NOOP, Api, refused, serving
from tests.support.waiting import wait_until

OPEN_JOBS = 5
STORED_BYTES = 1000
BATCH = {"jobs": [NOOP] * OPEN_JOBS}


@pytest.fixture(scope="module")
async def api(environment: dict[str, str]) -> AsyncIterator[Api]:
    """An API with small quotas."""
    small = {"PIPEROLL_OWNER_OPEN_JOBS": str(OPEN_JOBS), "PIPEROLL_OWNER_STORED_BYTES": str(STORED_BYTES)}
    async with serving({**environment, **small}) as serving_api:
        yield serving_api


@asynccontextmanager
async def an_owner(api: Api, pool: asyncpg.Pool, environment: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an owner that has nothing yet."""
    pepper = Settings.from_environment(environment).key_pepper.get_secret_value()
    _, key = await keys.create(pool, pepper, f"owner-{uuid4().hex[:8]}", ("jobs",))
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=api.client.base_url, headers=headers, timeout=70) as client:
        yield client


async def uses(client: httpx.AsyncClient, quota: str, amount: int) -> None:
    """Wait until the owner is shown to use so much: what is counted is up to ten seconds old."""
    seen: list[object] = []

    async def shown() -> bool:
        seen.append((await client.get("/api/limits")).json()["data"]["installation"][quota]["used"])
        return seen[-1] == amount

    await wait_until(shown, 30, f"{amount} {quota} to be shown; seen were {seen}")


async def test_an_owner_with_too_many_open_jobs_is_refused_until_one_ends_and_repeats_are_answered(
    api: Api, ready: asyncpg.Pool, environment: dict[str, str]
) -> None:
    async with an_owner(api, ready, environment) as greedy, an_owner(api, ready, environment) as modest:
        first = await greedy.post("/api/jobs", json=NOOP, headers={"Idempotency-Key": "first"})
        batch = await greedy.post("/api/jobs/batch", json={"jobs": [NOOP] * (OPEN_JOBS - 1)})
        assert (first.status_code, batch.status_code) == (200, 200)

        for path, body in (("/api/jobs", NOOP), ("/api/jobs/batch", BATCH)):
            refusal = await greedy.post(path, json=body, headers={"Idempotency-Key": f"new {path}"})
            refused(refusal, 429, "QUOTA_EXCEEDED")
            assert refusal.headers["Retry-After"]
        repeat = await greedy.post("/api/jobs", json=NOOP, headers={"Idempotency-Key": "first"})
        assert repeat.json() == first.json()
        await uses(greedy, "open_jobs", OPEN_JOBS)
        assert (await modest.post("/api/jobs", json=NOOP)).status_code == 200

        job_id = first.json()["data"]["job_id"]
        assert (await greedy.post(f"/api/jobs/{job_id}/cancel")).status_code == 200

        async def admitted() -> bool:
            return (await greedy.post("/api/jobs", json=NOOP)).status_code == 200

        await wait_until(admitted, 10, "the end of a job to make room")


async def test_an_owner_that_stores_too_much_is_refused_and_repeats_are_answered(
    api: Api, ready: asyncpg.Pool, environment: dict[str, str]
) -> None:
    half = {"file": ("half.txt", b"x" * (STORED_BYTES // 2 + 1))}
    key = {"Idempotency-Key": "first"}
    async with an_owner(api, ready, environment) as greedy, an_owner(api, ready, environment) as modest:
        first = await greedy.post("/v1/documents?wait=0", files=half, headers=key)
        assert first.status_code == 202, first.text
        refused(await greedy.post("/v1/documents?wait=0", files=half), 507, "INSUFFICIENT_STORAGE")
        refused(await greedy.post("/api/files", files=half), 507, "INSUFFICIENT_STORAGE")
        repeat = await greedy.post("/v1/documents?wait=0", files=half, headers=key)
        assert repeat.json()["data"]["documentId"] == first.json()["data"]["documentId"]
        assert (await modest.post("/api/files", files=half)).status_code == 200
        await uses(modest, "stored_bytes", STORED_BYTES // 2 + 1)


async def test_the_use_of_an_owner_is_counted_in_the_tables_and_in_the_store(
    api: Api, ready: asyncpg.Pool, environment: dict[str, str]
) -> None:
    async with an_owner(api, ready, environment) as client:
        await uses(client, "open_jobs", 0)
        await uses(client, "stored_bytes", 0)
        assert (await client.post("/v1/documents?wait=0", files={"file": ("a.txt", b"seven b")})).status_code == 202
        await uses(client, "stored_bytes", 7)
        await uses(client, "open_jobs", 1)


async def test_slow_reads_of_one_owner_leave_connections_to_another_one(
    api: Api, ready: asyncpg.Pool, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = "SELECT 0 FROM (SELECT pg_sleep(CASE WHEN $4::text = 'slow' THEN 30 ELSE 0 END)) AS slept, ({}) AS counted"
    monkeypatch.setitem(QUERIES, "count_jobs", slow.format(QUERIES["count_jobs"].rstrip(";")))
    async with an_owner(api, ready, environment) as greedy, an_owner(api, ready, environment) as modest:
        query = {"user_id": "slow"}
        asked = [asyncio.create_task(greedy.get("/api/jobs/", params=query)) for _ in range(20)]

        async def are_running() -> bool:
            sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND wait_event = 'PgSleep'"
            return bool(await ready.fetchval(sleeping) >= QUERIES_OF_OWNER)

        await wait_until(are_running, 5, "slow reads to run")
        for path in ("/api/jobs/", "/api/jobs/job-00000000-0000-4000-8000-000000000000"):
            assert (await asyncio.wait_for(modest.get(path), BOUND_S / 2)).status_code in (200, 404)
        answers = await asyncio.gather(*asked)
        assert {answer.status_code for answer in answers} == {503}


async def test_lists_of_one_owner_are_made_few_at_a_time_with_their_contents(
    api: Api, ready: asyncpg.Pool, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, goes_on = list[JobRow](), asyncio.Event()

    async def hold(_: JobListing, row: JobRow) -> JobContents:
        reading.append(row)
        await goes_on.wait()
        return JobContents()

    monkeypatch.setattr(JobListing, "_contents_of", hold)
    async with an_owner(api, ready, environment) as greedy, an_owner(api, ready, environment) as modest:
        assert (await greedy.post("/api/jobs", json=NOOP)).status_code == 200
        lists = [asyncio.create_task(greedy.get("/api/jobs/")) for _ in range(20)]
        await wait_until(lambda: len(reading) == QUERIES_OF_OWNER, 5, "lists to be made")
        assert (await asyncio.wait_for(modest.get("/api/jobs/"), BOUND_S / 2)).json()["data"]["total"] == 0
        assert len(reading) == QUERIES_OF_OWNER
        goes_on.set()
        assert {answer.status_code for answer in await asyncio.gather(*lists)} == {200}
