"""Batches of which single blobs cannot be read or written although the store answers, and outages beside them."""

import asyncio
from datetime import datetime
from itertools import pairwise

from piperoll.domain.job import Status
from schemas.events import JobCancelled, JobErased
from schemas.topics import Topic
from services.worker.manager.batch_expander import AT_ONCE
from services.worker.manager.expansion import LOST_AFTER_S
from tests.support.hostile.values import NO_UPLOADS
from tests.support.simulation.clients import accounted, create_batch, fact, facts_of, simulate
from tests.support.simulation.world import World

HOUR_S = 3600.0
BAD = [f"batch-bad-{number}" for number in range(AT_ONCE)]


async def reasons(world: World, job_id: str) -> list[str | None]:
    """Why a member was cancelled."""
    return [one.reason for one in await facts_of(world, job_id) if isinstance(one, JobCancelled)]


def test_unreadable_specifications_hold_up_no_other_batch_and_their_members_end() -> None:
    members: list[str] = []

    async def story(world: World) -> None:
        for batch_id in BAD:
            members.extend(await create_batch(world, batch_id, 3))
            world.store.broken.add(batch_id)
        worker = world.start_worker("worker-1")
        await asyncio.sleep(30)
        good = await create_batch(world, "batch-good", 3)
        await asyncio.sleep(10)
        assert set(world.history.jobs) == set(good)
        assert "input/output error" in (worker.background.problem() or "")
        await world.settle(2 * LOST_AFTER_S)
        assert worker.background.problem() is None
        assert [await reasons(world, name) for name in members] == [["SPECIFICATIONS_LOST"]] * len(members)

    world = simulate(story, slots=8)
    accounted(world, [])
    assert all(world.history.batches[batch_id].expanded for batch_id in BAD)


def test_an_outage_of_an_hour_cancels_no_member() -> None:
    members: list[str] = []

    async def story(world: World) -> None:
        members.extend(await create_batch(world, "batch-1", 250))
        world.store.away = True
        world.start_worker("worker-1")
        await asyncio.sleep(HOUR_S)
        world.store.away = False
        await world.settle(HOUR_S)

    world = simulate(story, slots=8)
    accounted(world, members)
    assert {job.status for job in world.history.jobs.values()} == {Status.COMPLETED}


def test_a_member_that_cannot_be_stored_is_given_up_and_the_others_run_at_once() -> None:
    members: list[str] = []

    async def story(world: World) -> None:
        members.extend(await create_batch(world, "batch-1", 250))
        world.store.broken.add(members[7])
        world.start_worker("worker-1")
        await asyncio.sleep(20)
        assert len(world.history.jobs) == 249
        await world.settle(HOUR_S)
        assert await reasons(world, members[7]) == ["STORAGE_ERROR"]

    world = simulate(story, slots=50)
    accounted(world, members[:7] + members[8:])
    assert [name for name in members if world.history.jobs[name].status is not Status.COMPLETED] == [members[7]]


def test_a_member_that_is_given_up_still_marks_its_upload_which_its_client_may_send_again() -> None:
    async def story(world: World) -> None:
        (member,) = await create_batch(world, "batch-1", 1, parameters={"filename": "upload://file-1/a.pdf"})
        world.store.broken.add(member)
        world.start_worker("worker-1")
        await world.settle(HOUR_S)
        assert await reasons(world, member) == ["STORAGE_ERROR"]
        assert [one.rpartition("/")[2] for one in await world.blobs.names("uses")] == [member]

    simulate(story)


def test_a_name_in_the_log_that_is_no_upload_holds_up_no_batch_and_no_erasure() -> None:
    """Earlier releases accepted such names, also as those of files that sessions write."""
    members: list[str] = []

    async def story(world: World) -> None:
        for number, name in enumerate(NO_UPLOADS):
            members.extend(await create_batch(world, f"batch-{number}", 2, parameters={"filename": name}))
        world.start_worker("worker-1")
        await asyncio.sleep(60)
        assert set(world.history.jobs) == set(members)
        for name in members:
            await world.append(fact(world, name, JobErased(by="acme")))
        await asyncio.sleep(HOUR_S)
        assert [one for one in await world.blobs.names("") if one.startswith("job-")] == []

    accounted(simulate(story, slots=8), members)


def test_a_member_that_can_be_stored_again_in_time_is_created() -> None:
    members: list[str] = []

    async def story(world: World) -> None:
        members.extend(await create_batch(world, "batch-1", 3))
        world.store.broken.add(members[1])
        world.start_worker("worker-1")
        await asyncio.sleep(LOST_AFTER_S - 60)
        world.store.broken.clear()
        await world.settle(HOUR_S)

    world = simulate(story)
    accounted(world, members)
    assert {job.status for job in world.history.jobs.values()} == {Status.COMPLETED}


def test_each_try_without_specifications_reads_the_log_at_most_once() -> None:
    scans: list[float] = []

    async def story(world: World) -> None:
        await create_batch(world, "batch-1", 3)
        await world.blobs.delete_folder("batch-1")
        real = world.log.offsets_at

        async def counted(topic: Topic, time: datetime) -> dict[int, int]:
            scans.append(world.loop.time())
            return await real(topic, time)

        world.log.offsets_at = counted  # type: ignore[method-assign]
        world.start_worker("worker-1")
        await world.settle(HOUR_S)

    simulate(story)
    assert LOST_AFTER_S <= scans[-1] - scans[0] < 2 * LOST_AFTER_S
    assert min(later - one for one, later in pairwise(scans)) > 0.4
