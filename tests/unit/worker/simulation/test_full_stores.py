"""Batches over a store that takes small blobs and refuses large ones, as a disk that is nearly full."""

import asyncio

import pytest

from piperoll.domain.job import Status
from piperoll.store.sync_blobs import CHECK_BYTES
from schemas.claims import Claim
from schemas.events import BatchCreated, JobCancelled
from schemas.ids import member_id
from services.worker.manager.expansion import LOST_AFTER_S
from tests.support.simulation.clients import accounted, create_batch, fact, facts_of, simulate
from tests.support.simulation.world import World

LARGE = {"parameters": {"text": "x" * 2 * CHECK_BYTES}}
LARGER = {"parameters": {"text": "x" * 20 * CHECK_BYTES}}


@pytest.mark.parametrize("room", [0, 4 * CHECK_BYTES])
def test_a_disk_that_is_nearly_full_for_long_cancels_no_member(room: int) -> None:
    members: list[str] = []

    async def story(world: World) -> None:
        members.extend(await create_batch(world, "batch-1", 150, of_one={3: LARGE, 140: LARGER}))
        world.store.room = room
        worker = world.start_worker("worker-1")
        await asyncio.sleep(2 * LOST_AFTER_S)
        assert "no space left" in (worker.background.problem() or "")
        world.store.room = None
        await world.settle(600)

    world = simulate(story, slots=50)
    accounted(world, members)
    assert {job.status for job in world.history.jobs.values()} == {Status.COMPLETED}


def test_members_that_such_a_disk_takes_run_at_once() -> None:
    async def story(world: World) -> None:
        members = await create_batch(world, "batch-1", 150, of_one={3: LARGE, 140: LARGER})
        world.store.room = 4 * CHECK_BYTES
        world.start_worker("worker-1")
        await asyncio.sleep(20)
        assert set(members) - set(world.history.jobs) == {members[140]}

    simulate(story, slots=50)


def test_a_member_on_bad_sectors_is_given_up_beside_one_that_waits_for_room() -> None:
    async def story(world: World) -> None:
        members = await create_batch(world, "batch-1", 3, of_one={0: LARGER})
        world.store.room = 4 * CHECK_BYTES
        world.store.broken.add(members[1])
        world.start_worker("worker-1")
        await asyncio.sleep(2 * LOST_AFTER_S)
        assert [type(one) for one in await facts_of(world, members[1])] == [JobCancelled]
        assert members[0] not in world.history.jobs
        assert world.history.jobs[members[2]].status is Status.COMPLETED

    simulate(story)


def test_a_member_on_bad_sectors_of_a_store_that_takes_its_size_and_no_larger_one_is_given_up() -> None:
    async def story(world: World) -> None:
        (member,) = await create_batch(world, "batch-1", 1, parameters={"text": "x" * 5 * CHECK_BYTES})
        world.store.room = 6 * CHECK_BYTES
        world.store.broken.add(member)
        world.start_worker("worker-1")
        await world.settle(2 * LOST_AFTER_S)
        assert [type(one) for one in await facts_of(world, member)] == [JobCancelled]

    simulate(story)


def test_specifications_of_any_size_in_the_log_are_tried_with_a_blob_no_larger_than_a_request() -> None:
    async def story(world: World) -> None:
        specs = Claim(uri="batch-1/in/lost", sha256="0" * 64, size=2**50)
        world.store.broken.add("batch-1")
        await world.append(fact(world, "batch-1", BatchCreated(count=1, specs=specs, body_sha256="0" * 64)))
        world.start_worker("worker-1")
        await world.settle(2 * LOST_AFTER_S)
        assert [type(one) for one in await facts_of(world, member_id("batch-1", 0))] == [JobCancelled]

    simulate(story)
