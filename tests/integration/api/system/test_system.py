"""`/api/system` over a real Kafka and Postgres: a stopped service, ended and open jobs, dead letters and redrive."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from piperoll import keys
from piperoll.store.blobs import AsyncBlobs
from piperoll.verification import Verification, keep
from schemas.errors import ErrorCode
from schemas.events import JobFailed, JobStarted
from schemas.ids import draw_run
from schemas.read_model_names import READ_SCHEMA
from schemas.topics import JOB_EVENTS
from services.api.system.tables import QUERIES
from services.projector.database.schema import create_tables
from tests.integration.api.test_list_plans import rows_read
from tests.support.poison.misplaced import misplaced_job
from tests.support.stacks.api import Api, refused, without_projector
from tests.support.waiting import PATIENCE_S, wait_until

Json = dict[str, Any]
ENDED_JOBS = 20_000
COMMIT_S = 30  # positions are committed every 5 s


async def seen(api: Api) -> Json:
    reply = await api.client.get("/api/system")
    assert reply.status_code == 200, reply.text
    return dict(reply.json()["data"])


async def projector_of(api: Api) -> Json:
    return next(one for one in (await seen(api))["services"] if one["service"] == "projector")


async def test_a_stopped_service_has_no_process_and_a_growing_lag(api: Api) -> None:
    async def caught_up() -> bool:
        found = await projector_of(api)
        return found["lag"] == 0 and len(found["processes"]) == 1

    await wait_until(caught_up, COMMIT_S, "the projector to commit its positions")
    async with without_projector(api):
        await api.create()
        await api.create()
        found = await projector_of(api)

        async def noticed() -> bool:
            nonlocal found
            found = await projector_of(api)
            return found["lag"] == 2 and found["processes"] == []

        await wait_until(noticed, PATIENCE_S, "the records to be counted, and the group to have lost its member")
        assert {one["topic"]: one["lag"] for one in found["readers"]}[JOB_EVENTS.name] == 2
    await wait_until(caught_up, COMMIT_S, "the projector to catch up")


def failures(found: Json) -> int:
    return sum(point["failed"] for point in found["plots"]["day"]["points"])


def completions(found: Json) -> int:
    return sum(point["completed"] for point in found["plots"]["day"]["points"])


def processing(found: Json) -> int:
    return int(found["queue"]["processing"])


async def test_open_jobs_are_counted_by_owner_and_type_and_ended_ones_by_minute(api: Api) -> None:
    before = await seen(api)  # of jobs that other tests left in the log
    waits, works, completes, fails = [await api.create() for _ in range(4)]
    await api.happen(works, JobStarted(number=1, run=draw_run(), worker="worker-7"))
    await api.run(completes)
    run = draw_run()
    failure = JobFailed(run=run, error_code=ErrorCode.PROCESSING_ERROR, duration_ms=1)
    await api.happen(fails, JobStarted(number=1, run=run, worker="w"), failure)

    async def counted() -> Json | None:
        found = await seen(api)
        failed, running = (number(found) - number(before) for number in (failures, processing))
        return found if (failed, running) == (1, 1) else None

    found = await wait_until(counted, COMMIT_S, "the ends to be projected")
    assert found is not None
    group = next(one for one in found["queue"]["groups"] if (one["owner"], one["job_type"]) == ("local", "noop"))
    assert group["processing"] >= 1
    assert group["pending"] >= 1
    assert found["queue"]["pending"] - before["queue"]["pending"] == 1
    assert sum(one["pending"] for one in found["queue"]["groups"]) == found["queue"]["pending"]
    assert found["queue"]["oldest"]["owner"]
    assert completions(found) - completions(before) == 1
    assert all(point["p50_s"] is not None for point in found["plots"]["hour"]["points"] if point["completed"])
    api_service = next(one for one in found["services"] if one["service"] == "api")
    assert api_service["processes"] == [{"instance": api.projector.settings.instance}]
    assert found["unknown"].keys() == {"receivers"}, "no notifier has made its tables here"
    assert waits


async def waiting(api: Api, letter: str) -> Json | None:
    letters = (await seen(api))["dead_letters"]["newest"]
    return next((one for one in letters if one["id"] == letter), None)


async def test_a_poisoned_record_is_a_dead_letter_and_is_put_back_once(api: Api) -> None:
    key = f"job-{uuid4()}"
    place = await misplaced_job(api.projector.settings, key)
    letter = f"jobs-{place.partition}-{place.offset}"
    found = await wait_until(lambda: waiting(api, letter), COMMIT_S, "the record to be parked")
    assert found is not None
    assert (found["key"], found["state"], found["by"]) == (key, "parked", ["projector"])
    assert (await api.client.get(f"/api/jobs/{key}")).status_code == 404

    redriven = await api.client.post(f"/api/system/dead-letters/{letter}/redrive")
    assert redriven.json()["data"] == {"id": letter, "put_back": [letter]}
    again = await api.client.post(f"/api/system/dead-letters/{letter}/redrive")
    assert (again.status_code, again.json()["data"]) == (200, {"id": letter, "put_back": []})
    assert await waiting(api, letter) is None, "the answer is read anew after a change"
    assert (await api.job(key))["status"] == "pending"

    audit = (await api.client.get("/api/audit")).json()["data"]["facts"]
    asked = [one for one in audit if one["type"] == "RedriveRequested"]
    assert [(one["topic"], one["position"]) for one in asked] == [(JOB_EVENTS.name, str(place))], (
        "a repeat asks nothing"
    )


async def test_a_record_that_still_cannot_be_used_is_not_put_back(api: Api) -> None:
    place = await api.appender.append_raw(JOB_EVENTS, f"job-{uuid4()}".encode(), b"no event", [])
    letter = f"jobs-{place.partition}-{place.offset}"
    await wait_until(lambda: waiting(api, letter), COMMIT_S, "the record to be parked")
    reply = await api.client.post(f"/api/system/dead-letters/{letter}/redrive")
    refused(reply, 409, "CONFLICT")
    assert "dead-letters skip" in reply.json()["error"]["message"]
    assert await waiting(api, letter) is not None


async def test_the_last_verdict_is_shown(api: Api) -> None:
    blobs = AsyncBlobs(api.blobs)
    at = (await seen(api))["at"]
    kept = Verification(holds=True, ended_at=at, seconds=1.0, records=5, jobs=2, documents=0, violations=0)
    await keep(blobs, kept)

    async def shown() -> bool:
        return bool((await seen(api))["verify"] is not None)

    await wait_until(shown, COMMIT_S, "the verdict to be read")
    assert (await seen(api))["verify"]["ended_at"] == at


def client_with(api: Api, key: str) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    return httpx.AsyncClient(base_url=api.client.base_url, headers={"Authorization": f"Bearer {key}"}, timeout=70)


async def test_only_admins_see_and_redrive(api: Api, ready: asyncpg.Pool) -> None:
    pepper = api.projector.settings.key_pepper.get_secret_value()
    for scopes in (("jobs",), ("read",), ("submit",)):
        _, key = await keys.create(ready, pepper, "acme", frozenset(scopes))
        async with client_with(api, key) as client:
            refused(await client.get("/api/system"), 403, "FORBIDDEN")
            refused(await client.post("/api/system/dead-letters/jobs-0-0/redrive"), 403, "FORBIDDEN")


@pytest.fixture
async def many_ended(database: str) -> AsyncIterator[asyncpg.Connection]:
    connected = await asyncpg.connect(database)
    await create_tables(connected, READ_SCHEMA)
    await connected.execute(
        """INSERT INTO read_v1.jobs (job_id, partition, owner, job_type, status, sequence, created, erased, created_at,
               updated_at, state)
        SELECT 'job-of-many-' || n, 0, 'many-' || n % 10, 'noop',
               CASE n % 2000 WHEN 1 THEN 'pending' ELSE 'completed' END, 3, true, false,
               now() - interval '1 second' * n, now(), '{"due": null, "worker": null}'
        FROM generate_series(1, $1::int) AS n""",
        ENDED_JOBS,
    )
    await connected.execute("VACUUM ANALYZE read_v1.jobs")
    yield connected
    await connected.execute("DELETE FROM read_v1.jobs WHERE starts_with(job_id, 'job-of-many-')")
    await connected.close()


async def test_the_queue_is_read_without_the_jobs_that_have_ended(many_ended: asyncpg.Connection) -> None:
    rows = await many_ended.fetch(QUERIES["queue"])
    assert sum(row["pending"] for row in rows if row["owner"].startswith("many-")) == ENDED_JOBS // 2000
    elsewhere = sum(row["pending"] + row["processing"] for row in rows if not row["owner"].startswith("many-"))
    read = await rows_read(many_ended, QUERIES["queue"])
    assert read["jobs"] < 500 + 2 * elsewhere, "a look for each owner and type, and the open jobs"
