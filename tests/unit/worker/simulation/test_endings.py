"""Cancelled and erased jobs in the simulated world."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from piperoll.domain.job import Status
from piperoll.log.record import Record
from piperoll.store.blobs import BlobStoreError
from schemas.events import (
    JobCancelled,
    JobErased,
)
from tests.support.files.indexes import put_part
from tests.support.simulation.clients import accounted, create, fact, records, simulate
from tests.support.simulation.network import AppendFault
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import World

MOMENT_S = 2.0  # a poll, the way to the log and back


def test_a_cancelled_job_is_killed_within_a_moment() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1000))
        await asyncio.sleep(10)
        assert worker.pool.running
        await world.append(fact(world, "job-1", JobCancelled(by="user-1")))
        await asyncio.sleep(1)
        assert not worker.pool.running
        await create(world, "job-2", Script(seconds=1))
        await asyncio.sleep(MOMENT_S + 1)
        assert world.history.jobs["job-2"].status is Status.COMPLETED  # the only slot is free again

    world = simulate(story, slots=1)
    accounted(world, ["job-1"])
    assert world.history.jobs["job-1"].status is Status.CANCELLED


def test_a_job_that_is_cancelled_in_the_very_moment_it_is_claimed_leaves_no_slot_behind() -> None:
    """A task that is cancelled before its first step never comes to its own `finally`."""

    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        await asyncio.sleep(MOMENT_S)
        for number in range(3):
            before = len(world.stage.begun)
            await create(world, f"job-{number}", Script(seconds=100))
            await world.append(fact(world, f"job-{number}", JobCancelled(by="user-1")))
            part = world.home_of(f"job-{number}")
            claimed, cancelled = (await _tail(world, part))[-2:]
            await worker.reader.handle(part, [claimed])
            worker.runner._fill()  # in one breath with what follows, as when both tasks are due at once
            await worker.reader.handle(part, [cancelled])
            worker.positions[part] = cancelled.offset + 1
            assert len(world.stage.begun) == before
        await create(world, "job-last", Script(seconds=1))
        await asyncio.sleep(MOMENT_S + 1)
        assert world.history.jobs["job-last"].status is Status.COMPLETED

    simulate(story, slots=1)


def test_what_a_cancelled_run_wrote_of_an_index_goes_with_its_marks() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1000))
        await asyncio.sleep(10)
        put_part(world.blobs.sync, "job-1", worker.pool.running["job-1"], "doc-1", [("Text", (1.0,))])
        await world.append(fact(world, "job-1", JobCancelled(by="user-1")))
        await asyncio.sleep(MOMENT_S)
        assert not worker.pool.running
        assert await world.blobs.names("documents") == ()

    simulate(story)


def test_erasure_waits_for_the_child_and_leaves_no_blob() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1000))
        await world.blobs.put("job-1/in", b"content")
        await asyncio.sleep(10)
        assert worker.pool.running
        await world.append(fact(world, "job-1", JobErased(by="user-1")))
        await asyncio.sleep(MOMENT_S)
        assert not worker.pool.running
        assert await world.blobs.delete_folder("job-1") == 0

    world = simulate(story)
    assert world.history.jobs["job-1"].erased


def test_content_is_erased_also_when_the_worker_dies_before_it_could() -> None:
    async def story(world: World) -> None:
        await create(world, "job-1")
        await world.blobs.put("job-1/in", b"content")
        await world.append(fact(world, "job-1", JobErased(by="user-1")))
        world.start_worker("worker-1")  # the erasure stands in its replay
        await asyncio.sleep(MOMENT_S)
        assert await world.blobs.delete_folder("job-1") == 0

    simulate(story)


async def _tail(world: World, part: int) -> list[Record]:
    return [record for record in await records(world) if record.partition == part]


def test_an_erasure_waits_for_the_child_of_its_own_job_only() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        worker.pool.dies_after_s = 300
        for name in ("job-1", "job-2"):
            await create(world, name, Script(seconds=1 if name == "job-2" else 1000))
        await asyncio.sleep(10)
        for name in ("job-1", "job-2"):
            world.blobs.sync.put_named(f"{name}/in/parameters", b"secret", "application/json")
            await world.append(fact(world, name, JobErased(by="user-1")))
        await asyncio.sleep(10)
        assert (len(await world.blobs.names("job-1")), len(await world.blobs.names("job-2"))) == (1, 0)
        await asyncio.sleep(400)
        assert await world.blobs.names("job-1") == ()

    simulate(story)


@pytest.mark.parametrize("weekend_h", [1, 49])
def test_an_erasure_survives_a_long_absence_of_workers_an_outage_and_a_crash(weekend_h: int) -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=5))
        await world.settle(600)
        world.blobs.sync.put_named("job-1/run/result.json", b"secret", "application/json")
        await first.drain()
        await world.append(fact(world, "job-1", JobErased(by="user-1")))
        await asyncio.sleep(weekend_h * 3600)
        with store_without_deletion(world):
            second = world.start_worker("worker-2")
            await asyncio.sleep(10)
            await create(world, "job-2", Script(seconds=1))  # the partition moves, so a checkpoint is written
            await asyncio.sleep(60)
            second.crash()
        assert await world.blobs.names("job-1")
        world.start_worker("worker-3")
        await asyncio.sleep(120)
        assert await world.blobs.names("job-1") == ()

    simulate(story, partitions=1)


@contextmanager
def store_without_deletion(world: World) -> Iterator[None]:
    def fails(uris: Iterable[str]) -> None:
        raise BlobStoreError(f"no permission to delete {list(uris)}")

    real = world.blobs.sync.delete
    world.blobs.sync.delete = fails  # type: ignore[method-assign]
    try:
        yield
    finally:
        world.blobs.sync.delete = real  # type: ignore[method-assign]


def test_page_checkpoints_go_when_the_end_of_their_job_is_in_the_log_and_not_before() -> None:
    seen: list[list[str]] = []

    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        names = [f"{job_id}/pages/0f/run-00000.json" for job_id in ("job-1", "job-2")]
        world.blobs.sync.restore("job", dict.fromkeys(names, b"{}"))
        await create(world, "job-1", Script(seconds=10, page_checkpoints=True))
        await asyncio.sleep(8)
        worker.network.faults.extend([AppendFault("delay", 60)] * 3)
        for pause_s in (15, 120):
            await asyncio.sleep(pause_s)
            seen.append([name for name in names if world.blobs.sync.snapshot(name.rpartition("/")[0])])

    world = simulate(story, slots=1)
    accounted(world, ["job-1"])
    assert seen == [
        ["job-1/pages/0f/run-00000.json", "job-2/pages/0f/run-00000.json"],
        ["job-2/pages/0f/run-00000.json"],
    ]
