"""`GET /v1/jobs` over a real log, projector and Postgres: which jobs are listed, in pages."""

from tests.support.stacks.api import Api
from tests.support.stacks.devana_jobs import complete, create, fail, ids, jobs, start


async def test_filters_combine_and_each_status_selects_its_jobs(api: Api, target: str) -> None:
    pending = await create(api, "pdf", target_id=target)
    running = await create(api, "transformer", target_id=target)
    await start(api, running)
    done, failed = await create(api, "session", target_id=target), await create(api, "pdf", target_id=target)
    await complete(api, done)
    await fail(api, failed, "No.")
    for status, job_id in (("PENDING", pending), ("IN_PROGRESS", running), ("DONE", done), ("ERROR", failed)):
        assert await ids(api, targetId=target, type=status) == [job_id]
        assert await ids(api, targetId=target, status=status) == [job_id]
    assert await ids(api, targetId=target, type="EXTRACTION", status="ERROR") == [failed]
    assert await ids(api, targetId=target, type="GENERATION", status="ERROR") == []
    assert set(await ids(api, targetId=target)) == {pending, running, done, failed}


async def test_a_cancelled_job_is_not_listed(api: Api, target: str) -> None:
    job_id = await create(api, target_id=target)
    assert await ids(api, targetId=target) == [job_id]
    assert (await api.client.post(f"/api/jobs/{job_id}/cancel")).status_code == 200
    for query in ({}, {"type": "KILLED"}, {"status": "KILLED"}, {"type": "ERROR"}):
        assert await ids(api, targetId=target, **query) == []


async def test_an_erased_job_is_not_listed(api: Api, target: str) -> None:
    job_id = await create(api, target_id=target)
    await complete(api, job_id)
    assert await ids(api, targetId=target) == [job_id]
    assert (await api.client.delete(f"/api/jobs/{job_id}")).status_code == 200
    assert await ids(api, targetId=target) == []


async def test_a_job_is_listed_for_24_hours_and_can_still_be_read_after_them(api: Api, target: str) -> None:
    day = 24 * 3600.0
    old = await create(api, target_id=target, age_s=day + 60)
    young = await create(api, target_id=target, age_s=day - 60)
    assert await ids(api, targetId=target) == [young]
    assert (await api.job(old))["status"] == "pending"


async def test_jobs_of_other_owners_are_not_listed(api: Api, target: str) -> None:
    theirs = await create(api, target_id=target, owner="another")
    mine = await create(api, target_id=target)
    assert await ids(api, targetId=target) == [mine]
    assert await ids(api, targetId=theirs) == []


async def test_pages_are_newest_first_and_continue_each_other(api: Api, target: str) -> None:
    ages = [50.0, 20.0, 40.0, 10.0, 30.0]
    types = ["pdf", "session", "extraction", "transformer", "pdf"]
    by_age = {age: await create(api, kind, target_id=target, age_s=age) for age, kind in zip(ages, types, strict=True)}
    newest_first = [by_age[age] for age in sorted(by_age)]
    assert await ids(api, targetId=target) == newest_first
    assert await ids(api, targetId=target, limit=2) == newest_first[:2]
    assert await ids(api, targetId=target, limit=2, offset=2) == newest_first[2:4]
    assert await ids(api, targetId=target, limit=2, offset=4) == newest_first[4:]
    assert await ids(api, targetId=target, offset=1000) == []


async def test_the_default_page_has_25_jobs_and_the_largest_100(api: Api, target: str) -> None:
    for _ in range(103):
        await create(api, target_id=target)
    assert [len(await jobs(api, targetId=target, **query)) for query in ({}, {"limit": 500})] == [25, 100]
    assert len(await jobs(api, limit=100, offset=3, targetId=target)) == 100
