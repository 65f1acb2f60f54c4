"""Slots of several owners in the simulated world: the reserved one, the cap, and runs that are taken back."""

import asyncio

from piperoll.domain.job import Status
from schemas.events import JobCancelled, JobReleased
from tests.support.simulation.clients import accounted, create, fact, facts_of, simulate
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import World

MOMENT_S = 2.0  # a poll, the way to the log and back
HOLD = Script(seconds=50)
SMALL = Script(seconds=1)


async def hold_all_slots(world: World, count: int, owner: str = "greedy") -> list[str]:
    names = [await create(world, f"{owner}-{number}", HOLD, owner) for number in range(count)]
    await asyncio.sleep(MOMENT_S)
    return names


async def released(world: World, *names: str) -> list[str]:
    return [name for name in names if any(isinstance(one, JobReleased) for one in await facts_of(world, name))]


def test_an_owner_that_is_alone_uses_every_slot() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        names = await hold_all_slots(world, 6)
        assert len(worker.pool.running) == 3
        await world.settle(600)
        assert await released(world, *names) == []

    simulate(story, slots=3)


def test_a_newcomer_gets_a_slot_of_an_owner_that_holds_all_within_seconds() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        names = await hold_all_slots(world, 3)
        held = set(worker.pool.running)
        assert len(held) == 2
        await create(world, "small", SMALL, "modest")
        await asyncio.sleep(2 * MOMENT_S + 1)
        assert world.history.jobs["small"].status is Status.COMPLETED
        given_back = await released(world, *names)
        assert len(given_back) == 1
        assert set(worker.pool.running) == held - set(given_back)  # the other slot stays reserved
        await world.settle(600)

    world = simulate(story)
    accounted(world, ["greedy-0", "greedy-1", "greedy-2", "small"])
    assert {job.status for job in world.history.jobs.values()} == {Status.COMPLETED}
    assert {(job.losses, job.retries) for job in world.history.jobs.values()} == {(0, 0)}


def test_an_owner_that_was_seen_lately_finds_a_slot_free() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        await create(world, "early", SMALL, "modest")
        await asyncio.sleep(600)
        names = await hold_all_slots(world, 3)
        assert len(worker.pool.running) == 1
        await create(world, "small", SMALL, "modest")
        await asyncio.sleep(1 + MOMENT_S)
        assert world.history.jobs["small"].status is Status.COMPLETED
        assert await released(world, *names) == []
        await world.settle(600)

    simulate(story)


def test_a_worker_with_one_slot_takes_none_back() -> None:
    async def story(world: World) -> None:
        world.start_worker("worker-1")
        names = await hold_all_slots(world, 2)
        await create(world, "small", SMALL, "modest")
        await world.settle(600)
        assert await released(world, *names) == []

    world = simulate(story, slots=1)
    accounted(world, ["greedy-0", "greedy-1", "small"])


def test_a_cap_holds_for_an_owner_that_is_alone_too() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        await hold_all_slots(world, 6)
        assert len(worker.pool.running) == 2
        await world.settle(600)

    simulate(story, slots=4, environment={"PIPEROLL_OWNER_SLOTS": "2"})


def test_a_run_that_is_taken_back_while_its_worker_stops_is_run_by_the_next_one() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        worker.pool.dies_after_s = 3.0
        await hold_all_slots(world, 2)
        await create(world, "small", SMALL, "modest")
        await asyncio.sleep(MOMENT_S)
        await worker.drain()
        world.start_worker("worker-2")
        await world.settle(600)

    world = simulate(story)
    accounted(world, ["greedy-0", "greedy-1", "small"])
    assert {job.status for job in world.history.jobs.values()} == {Status.COMPLETED}


def test_an_owner_whose_runs_are_ended_all_the_time_waits_for_new_children_and_another_one_does_not() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        worker.pool.replaced_after_s = 10.0
        await create(world, "early", SMALL, "modest")
        await asyncio.sleep(2 * MOMENT_S)
        for number in range(20):
            name = f"greedy-{number}"
            await create(world, name, HOLD, "greedy")
            await asyncio.sleep(MOMENT_S)
            await world.append(fact(world, name, JobCancelled(by="greedy"), "greedy"))
            await create(world, f"small-{number}", SMALL, "modest")
            await asyncio.sleep(1 + MOMENT_S)
            assert world.history.jobs[f"small-{number}"].status is Status.COMPLETED
        await world.settle(600)

    simulate(story)
