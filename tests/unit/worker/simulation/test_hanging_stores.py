"""A blob store that neither answers nor fails holds up no worker that gives up its work."""

import asyncio

import pytest

from piperoll.domain.job import Status
from piperoll.log.record import partition_of
from schemas.events import JobReleased
from tests.support.simulation.clients import accounted, create, facts_of, simulate
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import CHECKPOINTS, World

GIVEN_UP_S = 6.0  # far less than the 15 s after which a process is killed, or its session ends


async def leave_a_run_behind(world: World) -> str:
    """A worker's run that has written outputs, and then a store that hangs."""
    world.start_worker("worker-1")
    await create(world, "job-1", Script(seconds=60))
    await asyncio.sleep(10)
    (run,) = world.stage.runs_of("job-1")
    world.blobs.sync.put_named(f"job-1/{run}/images/1.png", b"image", "image/png")
    world.blobs.hanging = True
    return f"job-1/{run}"


@pytest.mark.parametrize("reason", ["drain", "rebalance"])
def test_a_worker_gives_its_runs_back_in_seconds(reason: str) -> None:
    async def story(world: World) -> None:
        await leave_a_run_behind(world)
        worker = world.workers["worker-1"]
        if reason == "drain":
            await asyncio.wait_for(worker.drain(), GIVEN_UP_S)
        else:
            world.start_worker("worker-2")
            world.dealt = {0: "worker-2"}
            await asyncio.sleep(GIVEN_UP_S)
            assert worker.positions == {}
        released = [one.reason for one in await facts_of(world, "job-1") if isinstance(one, JobReleased)]
        assert released == [reason]

    simulate(story, partitions=1)


def test_what_such_a_run_left_behind_is_deleted_when_its_job_has_ended() -> None:
    async def story(world: World) -> None:
        folder = await leave_a_run_behind(world)
        await asyncio.wait_for(world.workers["worker-1"].drain(), GIVEN_UP_S)
        world.blobs.hanging = False
        assert await world.blobs.names(folder)
        world.start_worker("worker-2")
        await world.settle(600)
        await asyncio.sleep(10)
        assert await world.blobs.names(folder) == ()

    world = simulate(story, partitions=1)
    accounted(world, ["job-1"])
    assert world.history.jobs["job-1"].status is Status.COMPLETED


def test_a_worker_that_hangs_in_a_checkpoint_ends_at_the_stop() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1))
        await world.settle(60)
        world.blobs.hanging = True
        await asyncio.sleep(worker.settings.checkpoint_interval_s + 5)
        await asyncio.wait_for(worker.drain(), GIVEN_UP_S)

    simulate(story, partitions=1)


def test_a_partition_whose_checkpoint_hangs_holds_up_no_other_one() -> None:
    async def story(world: World) -> None:
        first, second = world.start_worker("worker-1"), world.start_worker("worker-2")
        for part in range(2):
            await create(world, jobs[part], Script(seconds=1))
        await world.settle(60)
        assert (set(first.positions), set(second.positions)) == ({0}, {1})
        await second.drain()
        world.blobs.hanging_at = f"{CHECKPOINTS}/1"
        await asyncio.sleep(2)
        for part in range(2):
            await create(world, jobs[2 + part], Script(seconds=1))
        await asyncio.sleep(60)
        assert world.open_jobs() == [jobs[3]]
        assert "partition 1, is not read yet" in (first.reader.problem() or "")
        world.blobs.hanging_at = ""
        await world.settle(60)
        assert first.reader.problem() is None
        assert first.handled < 20, "from its checkpoint"

    names = [f"job-{number}" for number in range(40)]
    jobs = [next(one for one in names[begin:] if partition_of(one, 2) == begin % 2) for begin in (0, 11, 20, 31)]
    accounted(simulate(story, partitions=2), jobs)
