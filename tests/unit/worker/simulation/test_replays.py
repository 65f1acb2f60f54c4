"""What a worker keeps and reads when it takes partitions over, in the simulated world."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from piperoll.log.record import Record
from piperoll.store.blobs import BlobStoreError
from schemas.envelope import encode
from schemas.events import JobCancelled
from schemas.ids import member_id
from schemas.topics import JOB_EVENTS, Topic
from tests.support.simulation.clients import accounted, create, create_batch, creation, fact, simulate
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import CHECKPOINTS, World

DAY_S = 86400.0
MOMENT_S = 2.0


async def old_history(world: World, days: int, jobs_a_day: int) -> None:
    """Jobs that were created and cancelled, on each of some days before now."""
    for day in range(days):
        for number in range(jobs_a_day):
            for data in (creation(), JobCancelled(by="client")):
                key, value, headers = encode(fact(world, f"job-{day}-{number}", data))
                await world.log.append_raw(JOB_EVENTS, key, value, headers)
        await asyncio.sleep(DAY_S)


def test_a_replay_keeps_no_more_ended_ids_than_a_few_days_have() -> None:
    most = 0

    async def story(world: World) -> None:
        nonlocal most
        await old_history(world, days=40, jobs_a_day=20)
        worker = world.start_worker("worker-1")
        while not worker.reader.live():
            await asyncio.sleep(0.05)
            kept = [len(state.backlog.ended) for state in worker.reader._partitions.values()]
            most = max([most, *kept])
        assert worker.handled == 40 * 20 * 2

    simulate(story, partitions=1)
    assert 0 < most <= 4 * 20 + 60, "four days, and what one poll holds"


def test_a_replay_that_is_interrupted_goes_on_where_it_was() -> None:
    async def story(world: World) -> None:
        await old_history(world, days=10, jobs_a_day=100)
        first = world.start_worker("worker-1")
        while first.handled < 500:  # noqa: ASYNC110 - virtual time, and no one event
            await asyncio.sleep(0.05)
        await first.reader.save_checkpoints()
        assert not first.reader.live()
        first.crash()
        first.leave_group()
        second = world.start_worker("worker-2")
        await asyncio.sleep(60)
        assert second.reader.live()
        assert second.handled <= 10 * 100 * 2 - 500

    simulate(story, partitions=1)


def test_a_checkpoint_that_cannot_be_read_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        for number in range(5):
            await create(world, f"job-{number}", Script(seconds=1))
        await world.settle(600)
        await first.drain()
        content = await world.blobs.get(f"{CHECKPOINTS}/0")

        def away(uri: str) -> bytes:
            raise BlobStoreError(f"{uri}: slow down")

        monkeypatch.setattr(world.blobs.sync, "get", away)
        second = world.start_worker("worker-2")
        await asyncio.sleep(30)
        assert second.reader.problem() is not None
        assert not second.reader.live()
        monkeypatch.undo()
        await asyncio.sleep(5)
        assert second.reader.problem() is None
        assert second.handled == 0
        assert await world.blobs.get(f"{CHECKPOINTS}/0") == content

    simulate(story, partitions=1)


def test_a_worker_that_drains_while_the_store_is_away_leaves_the_checkpoint_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1))
        await world.settle(600)
        await first.drain()
        content = await world.blobs.get(f"{CHECKPOINTS}/0")

        def away(uri: str) -> bytes:
            raise BlobStoreError(f"{uri}: slow down")

        monkeypatch.setattr(world.blobs.sync, "get", away)
        second = world.start_worker("worker-2")
        await asyncio.sleep(30)
        await second.drain()
        monkeypatch.undo()
        assert second.failure is None
        assert await world.blobs.get(f"{CHECKPOINTS}/0") == content

    simulate(story, partitions=1)


def test_batches_that_are_taken_over_together_share_the_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    scans = 0

    async def story(world: World) -> None:
        read = world.log.scan

        def counted(topic: Topic, begin: dict[int, int], end: dict[int, int]) -> AsyncGenerator[list[Record], None]:
            nonlocal scans
            scans += topic is JOB_EVENTS
            return read(topic, begin, end)

        monkeypatch.setattr(world.log, "scan", counted)
        for number in range(30):
            await create_batch(world, f"batch-{number}", 4)
        world.start_worker("worker-1")
        await world.settle(3600)

    members = [member_id(f"batch-{number}", index) for number in range(30) for index in range(4)]
    accounted(simulate(story, partitions=3, slots=8), members)
    assert 0 < scans <= 3
