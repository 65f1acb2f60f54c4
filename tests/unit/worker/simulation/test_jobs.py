"""Runs of jobs in the simulated world: slots, retries and priorities."""

import asyncio

from piperoll.domain.job import Status
from schemas.events import (
    JobProgress,
    JobRetryScheduled,
)
from tests.support.simulation.clients import accounted, create, facts_of, simulate
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import World

MOMENT_S = 2.0  # a poll, the way to the log and back


def test_a_run_appends_its_start_its_progress_and_its_end_in_this_order() -> None:
    appended: list[object] = []

    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await create(world, "job-1")
        await world.settle(60)
        appended.extend(await facts_of(world, "job-1"))

    simulate(story)
    assert [type(one).__name__ for one in appended] == [
        "JobCreated",
        "JobStarted",
        *["JobProgress"] * 3,
        "JobCompleted",
    ]
    assert [one.sequence for one in appended if isinstance(one, JobProgress)] == [1, 2, 3]


def test_all_slots_are_used_and_no_more() -> None:
    async def story(world: World) -> None:
        world.start_worker("worker-1")
        for number in range(9):
            await create(world, f"job-{number}", Script(seconds=10))
        await world.settle(600)

    world = simulate(story, slots=3)
    accounted(world, [f"job-{number}" for number in range(9)])
    assert world.workers["worker-1"].pool.most == 3
    assert world.loop.time() < 3 * 10 + 5 * MOMENT_S


def test_failed_attempts_are_retried_after_their_delay_and_then_the_job_fails() -> None:
    appended: list[object] = []

    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1, failures=99))
        await world.settle(600)
        appended.extend(await facts_of(world, "job-1"))

    world = simulate(story)
    job = world.history.jobs["job-1"]
    assert (job.status, job.error_code, job.attempt, job.retries) == (Status.FAILED, "PROCESSOR_CRASHED", 3, 2)
    delays = [one.delay_s for one in appended if isinstance(one, JobRetryScheduled)]
    assert 5 <= delays[0] <= 6.25
    assert 10 <= delays[1] <= 12.5
    assert world.loop.time() >= sum(delays) + 3


def test_what_lies_in_the_input_fails_at_once() -> None:
    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1, failures=1, fatal=True))
        await world.settle(600)

    job = simulate(story).history.jobs["job-1"]
    assert (job.status, job.error_code, job.attempt) == (Status.FAILED, "INVALID_PDF", 1)


def test_a_retry_that_falls_due_while_all_slots_are_taken_waits_without_looking_all_the_time() -> None:
    """The loop that fills the slots must sleep until one is free: in virtual time a busy loop is an error."""

    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1, failures=1))
        await asyncio.sleep(MOMENT_S)
        await create(world, "job-2", Script(seconds=300))
        await world.settle(600)

    accounted(simulate(story, slots=1), ["job-1", "job-2"])
