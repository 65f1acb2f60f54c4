"""Handovers between workers: losses, drains, moved partitions and zombies, in the simulated world."""

import asyncio

import pytest

from piperoll.domain.job import Status
from schemas.events import (
    JobReleased,
)
from tests.support.simulation.clients import (
    accounted,
    create,
    facts_of,
    simulate,
)
from tests.support.simulation.network import AppendFault
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import SESSION_S, World

GRACE_S = 15.0

MOMENT_S = 2.0  # a poll, the way to the log and back


def test_a_lost_workers_job_is_taken_over_after_the_grace_and_counts_one_loss() -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=60))
        await asyncio.sleep(10)
        first.crash()
        crashed = world.loop.time()
        world.start_worker("worker-2")
        await asyncio.sleep(SESSION_S + GRACE_S - 1)
        assert len(world.stage.runs_of("job-1")) == 1
        await asyncio.sleep(MOMENT_S + 1)
        assert len(world.stage.runs_of("job-1")) == 2
        assert world.loop.time() - crashed < SESSION_S + GRACE_S + 2 * MOMENT_S
        await world.settle(600)

    world = simulate(story, partitions=1)
    accounted(world, ["job-1"])
    job = world.history.jobs["job-1"]
    assert (job.status, job.attempt, job.losses, job.retries) == (Status.COMPLETED, 2, 1, 0)


def test_a_draining_worker_gives_its_jobs_back_at_once_and_nothing_is_charged() -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=60))
        await asyncio.sleep(10)
        world.start_worker("worker-2")
        await first.drain()
        assert not first.pool.running
        await asyncio.sleep(MOMENT_S)
        assert len(world.stage.runs_of("job-1")) == 2
        await world.settle(600)
        reasons = [one.reason for one in await facts_of(world, "job-1") if isinstance(one, JobReleased)]
        assert reasons == ["drain"]

    world = simulate(story, partitions=1)
    accounted(world, ["job-1"])
    job = world.history.jobs["job-1"]
    assert (job.status, job.attempt, job.losses, job.retries) == (Status.COMPLETED, 2, 0, 0)


def test_a_release_that_the_log_refuses_ends_no_worker() -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=60))
        await asyncio.sleep(10)
        world.start_worker("worker-2")
        first.network.faults.append(AppendFault("error"))
        world.dealt = {0: "worker-2"}
        await world.settle(600)
        assert not first.main.done()

    world = simulate(story, partitions=1)
    accounted(world, ["job-1"])


def test_a_partition_that_moves_takes_its_jobs_along_and_leaves_the_others_alone() -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        names = [await create(world, f"job-{number}", Script(seconds=60)) for number in range(8)]
        await asyncio.sleep(10)
        running = dict(first.pool.running)
        assert len(running) == 8
        world.start_worker("worker-2")
        await asyncio.sleep(MOMENT_S)
        stayed = {name for name in names if world.home_of(name) in first.positions}
        assert {name: run for name, run in running.items() if name in stayed} == first.pool.running
        assert set(world.workers["worker-2"].pool.running) == set(names) - stayed
        await world.settle(600)

    world = simulate(story, partitions=4, slots=9)
    accounted(world, [f"job-{number}" for number in range(8)])
    assert all(job.losses == 0 for job in world.history.jobs.values())


def test_a_worker_that_is_lost_again_and_again_makes_the_job_fail() -> None:
    async def story(world: World) -> None:
        await create(world, "job-1", Script(seconds=1000))
        for number in range(12):
            worker = world.start_worker(f"worker-{number}")
            await asyncio.sleep(GRACE_S + MOMENT_S + 1)
            worker.crash()
            await asyncio.sleep(SESSION_S + 1)
            if not world.open_jobs():
                break

    world = simulate(story, partitions=1)
    job = world.history.jobs["job-1"]
    assert (job.status, job.error_code) == (Status.FAILED, "WORKER_LOST")
    assert job.losses == 11
    assert len(world.stage.runs_of("job-1")) == 11  # the twelfth claim only recorded it


def test_two_workers_that_both_believe_to_own_a_partition_do_not_outbid_each_other_without_end() -> None:
    async def story(world: World) -> None:
        for name in ("worker-1", "worker-2"):
            world.start_worker(name)
            world.dealt = {0: name}  # the group knows only the newest; the first never hears of it
            await asyncio.sleep(MOMENT_S)
            world.workers[name].deaf_until = float("inf")
        await create(world, "job-short", Script(seconds=10))
        await create(world, "job-long", Script(seconds=100))
        await world.settle(600)

    world = simulate(story, partitions=1)
    accounted(world, ["job-short", "job-long"])
    assert world.history.jobs["job-short"].status is Status.COMPLETED
    assert world.history.jobs["job-short"].losses == 0
    starts = world.history.jobs["job-long"].attempt
    assert starts <= 12
    assert world.loop.time() < starts * (GRACE_S + MOMENT_S) + 60


@pytest.mark.parametrize("seconds", [10, 60, 600])
def test_an_owner_that_cannot_reach_the_coordinator_claims_nothing_and_its_run_may_end(seconds: float) -> None:
    """It reads, runs and writes on, and the new owner sees that its run comes further."""

    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        await asyncio.sleep(MOMENT_S)
        await create(world, "job-1", Script(seconds=seconds))
        await asyncio.sleep(3)
        first.deaf_until = float("inf")
        first.leave_group()
        world.start_worker("worker-2")
        await create(world, "job-2", Script(seconds=1))
        await world.settle(3 * seconds + 60)

    world = simulate(story, partitions=1)
    accounted(world, ["job-1", "job-2"])
    job = world.history.jobs["job-1"]
    assert job.status is Status.COMPLETED
    assert job.losses <= 2  # its progress is further apart than the grace
    assert world.history.jobs["job-2"].worker == "worker-2"


def test_accepted_progress_of_another_process_extends_the_grace() -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        await asyncio.sleep(MOMENT_S)
        await create(world, "job-1", Script(seconds=4 * (GRACE_S - 2)))
        await asyncio.sleep(3)
        first.deaf_until = float("inf")
        first.leave_group()
        world.start_worker("worker-2")
        await world.settle(600)

    world = simulate(story, partitions=1)
    accounted(world, ["job-1"])
    assert len(world.stage.runs_of("job-1")) == 1


def test_a_zombies_late_word_does_not_count_and_its_children_end() -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=60))
        await asyncio.sleep(10)
        first.online.clear()  # cut off: its child goes on and completes
        first.leave_group()
        world.start_worker("worker-2")
        await asyncio.sleep(55)
        assert len(world.stage.runs_of("job-1")) == 2
        assert world.stage.finished["job-1"] == 1
        first.online.set()
        await asyncio.sleep(MOMENT_S)
        assert world.history.jobs["job-1"].status is Status.PROCESSING
        await world.settle(600)

    world = simulate(story, partitions=1)
    accounted(world, ["job-1"])
    job = world.history.jobs["job-1"]
    assert (job.status, job.attempt, job.worker) == (Status.COMPLETED, 2, "worker-2")
