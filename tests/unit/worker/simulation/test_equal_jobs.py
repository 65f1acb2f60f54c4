"""Equal jobs in the simulated world: one waits for the first, and no longer than its share."""

import asyncio

import pytest

from piperoll.domain.job import Status
from piperoll.domain.scheduler import HELD_S
from tests.support.simulation.clients import accounted, create, creation, fact, simulate
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import World

MOMENT_S = 5.0  # a poll, the way to the log and back
SLOW_S = 3000.0


async def create_equal(world: World, job_id: str, seconds: float, timeout_s: int = 3600) -> None:
    """A job of one owner whose work equals that of the others."""
    world.stage.scripts[job_id] = Script(seconds=seconds)
    given = creation().model_copy(update={"work_sha256": "e" * 64, "timeout_s": timeout_s})
    await world.append(fact(world, job_id, given, "owner"))


async def begun(world: World, job_id: str) -> float:
    """Seconds until a run of the job begins."""
    since = world.loop.time()
    while not world.stage.runs_of(job_id):
        await asyncio.sleep(0.5)
        assert world.loop.time() < since + 2 * SLOW_S, f"{job_id} never begins"
    return world.loop.time() - since


@pytest.mark.parametrize(("timeout_s", "longest_s"), [(60, 60.0), (3600, HELD_S)])
def test_the_answer_of_an_equal_job_comes_while_the_first_run_is_still_slow(timeout_s: int, longest_s: float) -> None:
    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await create_equal(world, "slow", SLOW_S)
        await begun(world, "slow")
        await create_equal(world, "equal", seconds=1, timeout_s=timeout_s)
        await asyncio.sleep(longest_s - MOMENT_S)
        assert world.stage.runs_of("equal") == [], "it waits for the first one's result"
        await asyncio.sleep(3 * MOMENT_S)
        assert world.history.jobs["equal"].status is Status.COMPLETED
        assert world.history.jobs["slow"].status is Status.PROCESSING
        await world.settle(2 * SLOW_S)

    accounted(simulate(story), ["slow", "equal"])


def test_an_equal_job_begins_when_the_first_one_ends() -> None:
    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await create_equal(world, "first", seconds=30)
        await begun(world, "first")
        await create_equal(world, "equal", seconds=1)
        assert 30 - MOMENT_S < await begun(world, "equal") < 30 + MOMENT_S
        await world.settle(60)

    accounted(simulate(story), ["first", "equal"])


def test_an_equal_job_that_waits_leaves_its_slot_to_others() -> None:
    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await create_equal(world, "slow", SLOW_S)
        await begun(world, "slow")
        await create_equal(world, "equal", seconds=1)
        await create(world, "other", Script(seconds=1), owner="owner")
        assert await begun(world, "other") < MOMENT_S
        assert world.stage.runs_of("equal") == []
        await world.settle(2 * SLOW_S)

    accounted(simulate(story), ["slow", "equal", "other"])
