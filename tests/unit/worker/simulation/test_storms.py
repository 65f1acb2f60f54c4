"""The worker through crashes, zombies, handovers and repeats: real parts, virtual time.

Each seed is one course of events, the same in every run. What must hold in all of them is judged by the history
checker (piperoll.history) over the whole log, and by the workers' own children, which refuse to run what is over.
"""

import asyncio

import pytest

from piperoll.domain.job import Status
from tests.support.simulation.clients import accounted, create, simulate
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.storm import Storm
from tests.support.simulation.world import World

SEEDS = range(16)


def weather(seed: int) -> tuple[World, Storm]:
    storms: list[Storm] = []

    async def story(world: World) -> None:
        storms.append(Storm(world, seed))
        await storms[0].rage()

    return simulate(story, seed), storms[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_every_job_ends_once_and_none_is_lost(seed: int) -> None:
    world, storm = weather(seed)
    accounted(world, storm.acknowledged)
    for job_id in storm.cancelled_first:
        assert world.history.jobs[job_id].status is Status.CANCELLED
        assert world.stage.runs_of(job_id) == []


def test_the_same_seed_is_the_same_course_of_events() -> None:
    def course(world: World) -> list[tuple[str, str, float]]:
        return [(name, job.status, job.updated_at.timestamp()) for name, job in sorted(world.history.jobs.items())]

    assert course(weather(3)[0]) == course(weather(3)[0])


def test_when_nothing_fails_every_job_runs_exactly_once() -> None:
    async def story(world: World) -> None:
        for name in ("worker-1", "worker-2", "worker-3"):
            world.start_worker(name)
        for number in range(60):
            await create(world, f"job-{number}", Script(seconds=number % 7))
            await asyncio.sleep(0.3)
        await world.settle(600)

    world = simulate(story)
    accounted(world, [f"job-{number}" for number in range(60)])
    assert sorted(job_id for job_id, _ in world.stage.begun) == sorted(f"job-{number}" for number in range(60))
    assert world.history.late_starts == []
