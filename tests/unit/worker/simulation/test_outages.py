"""Outages of the installation in the simulated world: no job pays for them."""

import asyncio

from piperoll.domain.job import Status
from schemas.events import JobFailed, JobRetryScheduled, JobStarted
from tests.support.simulation.clients import accounted, create, facts_of, simulate
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import World

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


def test_an_hour_without_the_blob_store_fails_no_job_and_nothing_is_claimed_meanwhile() -> None:
    names = [f"job-{number}" for number in range(40)]
    problems: list[str | None] = []

    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        for name in names:
            await create(world, name, Script(seconds=10))
        await asyncio.sleep(15)
        world.blobs.away = True
        await asyncio.sleep(60)
        begun = len(world.stage.begun)
        problems.append(worker.gate.problem())
        await asyncio.sleep(HOUR_S - 60)
        assert len(world.stage.begun) == begun, "jobs were claimed during the outage"
        world.blobs.away = False
        await world.settle(HOUR_S)
        problems.append(worker.gate.problem())

    world = simulate(story)
    accounted(world, names)
    assert {job.status for job in world.history.jobs.values()} == {Status.COMPLETED}
    assert [job.retries for job in world.history.jobs.values()] == [0] * len(names)
    assert problems[0] is not None
    assert "the blob store" in problems[0]
    assert problems[1] is None


def test_an_attempt_that_the_blob_store_ended_is_a_retry_without_a_charge() -> None:
    appended: list[object] = []

    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=10))
        await asyncio.sleep(5)
        world.blobs.away = True
        await asyncio.sleep(60)
        world.blobs.away = False
        await world.settle(HOUR_S)
        appended.extend(await facts_of(world, "job-1"))

    simulate(story)
    assert [one.charged for one in appended if isinstance(one, JobRetryScheduled)] == [False]
    assert [one.number for one in appended if isinstance(one, JobStarted)] == [1, 2]


def test_a_job_whose_own_blobs_fail_for_a_day_ends_after_its_attempts() -> None:
    appended: list[object] = []

    async def story(world: World) -> None:
        world.start_worker("worker-1")
        world.blobs.unreadable_of = "job-1"
        await create(world, "job-1", Script(seconds=1))
        await create(world, "job-2", Script(seconds=1))
        await world.settle(2 * DAY_S)
        appended.extend(await facts_of(world, "job-1"))

    world = simulate(story)
    assert world.history.jobs["job-1"].error_code == "STORAGE_ERROR"
    assert world.history.jobs["job-2"].status is Status.COMPLETED
    assert isinstance(appended[-1], JobFailed)
    assert DAY_S < world.loop.time() < DAY_S + HOUR_S
    assert len([one for one in appended if isinstance(one, JobStarted)]) < 500


def test_nothing_is_claimed_before_the_store_has_answered_once() -> None:
    async def story(world: World) -> None:
        world.blobs.away = True
        world.start_worker("worker-1")
        await create(world, "job-1")
        await asyncio.sleep(600)
        assert world.stage.begun == []
        world.blobs.away = False
        await world.settle(60)

    accounted(simulate(story), ["job-1"])
