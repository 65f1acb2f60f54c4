"""A key that is repeated after a month, when worker and notifier have forgotten its job: nothing is sent again."""

import asyncio

import pytest

from schemas.events import JobCreated, JobErased
from tests.support.simulation.clients import fact, simulate
from tests.support.simulation.playing import ENVIRONMENT, Play
from tests.support.simulation.schedule import Act, Schedule
from tests.support.simulation.world import World

MONTH_S = 31 * 86400.0
JOB = "job-1"
HOOKED = Act(0.1, "create", JOB, moods=())


def finals(world: World) -> list[str]:
    """The ids of the final hooks of the job, as often as they came."""
    return [one.delivery_id for one in world.receivers.received if one.job_id == JOB and one.phase != "processing"]


def creation_of(world: World) -> JobCreated:
    """The creation with which a client that could not ask the read model repeats its request."""
    return Play(world, Schedule(1, (), ()))._creation(HOOKED).model_copy(update={"unchecked": True})


async def forgotten_by_the_notifier(world: World) -> None:
    """A month without its processes; then the sweep of the queue has removed the job's row."""
    for process in [one for one in world.processes.values() if not one.main.done()]:
        await process.drain()
    await asyncio.sleep(MONTH_S)
    del world.postgres.tables["queue"][JOB]


@pytest.mark.parametrize("erased", [False, True])
def test_a_key_repeated_after_a_month_sends_no_second_final_hook(erased: bool) -> None:
    async def story(world: World) -> None:
        await Play(world, Schedule(1, (HOOKED,), ())).run()
        (first,) = finals(world)
        await forgotten_by_the_notifier(world)
        world.start_worker("worker-later")
        world.start_projector("projector-later")
        world.start_notifier("notifier-later")
        await asyncio.sleep(10)
        await world.append(fact(world, JOB, creation_of(world)))
        if erased:
            await world.append(fact(world, JOB, JobErased(by="user-1")))
        await asyncio.sleep(120)
        assert finals(world) == [first]
        assert len(world.stage.runs_of(JOB)) == 1

    simulate(story, partitions=2, environment=ENVIRONMENT)
