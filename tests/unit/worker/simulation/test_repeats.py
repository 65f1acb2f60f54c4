"""Creations that are repeated long after the end, when no worker remembers it, in the simulated world."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from piperoll.domain.job import Status
from piperoll.log.record import Record
from schemas.events import BatchExpanded, JobCreated, JobErased
from schemas.topics import JOB_EVENTS, Topic
from tests.support.simulation.clients import (
    accounted,
    create,
    create_batch,
    creation,
    fact,
    facts_of,
    records,
    simulate,
)
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import SimulatedWorker, World

LONG_S = 30 * 86400.0
FORGOTTEN = ("job-1", "batch-1")
MOMENT_S = 2.0  # a poll, the way to the log and back


async def later(world: World, worker: SimulatedWorker) -> SimulatedWorker:
    """A worker of a month later, which has forgotten all that ended: other jobs ended since."""
    await worker.drain()
    await asyncio.sleep(LONG_S)
    successor = world.start_worker(f"{worker.name}-later")
    for number in range(40):
        await create(world, f"other-{number}", Script(seconds=1))
    await world.settle(600)
    await asyncio.sleep(60)
    assert not any(name in backlog.ended for backlog in successor.reader.live().values() for name in FORGOTTEN)
    return successor


async def repeat(world: World, job_id: str) -> None:
    await world.append(fact(world, job_id, creation().model_copy(update={"unchecked": True})))


def test_a_creation_repeated_after_a_month_does_not_run_the_job_again() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1))
        await world.settle(600)
        successor = await later(world, worker)
        part = world.home_of("job-1")
        await repeat(world, "job-1")
        await asyncio.sleep(60)
        assert len(world.stage.runs_of("job-1")) == 1
        assert "job-1" not in successor.reader.live()[part].jobs
        assert "job-1" in successor.reader.live()[part].ended

    world = simulate(story)
    accounted(world, ["job-1"])
    assert world.history.jobs["job-1"].status is Status.COMPLETED


def test_an_unchecked_creation_that_is_the_first_one_runs() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        await repeat(world, "job-1")
        await world.settle(600)
        assert not worker.reader.live()[world.home_of("job-1")].unchecked

    world = simulate(story)
    accounted(world, ["job-1"])
    assert len(world.stage.runs_of("job-1")) == 1


def test_a_job_is_not_begun_while_its_past_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by the next worker, which knows from the checkpoint, or from the log, that it has to be looked up."""

    async def story(world: World) -> None:
        async def away(*_: object) -> AsyncGenerator[list[Record], None]:
            raise TimeoutError("the log does not answer")
            yield

        worker = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1))
        await world.settle(600)
        worker = await later(world, worker)
        monkeypatch.setattr(world.log, "scan", away)
        await repeat(world, "job-1")
        await repeat(world, "job-2")
        await asyncio.sleep(60)
        assert worker.reader.look_ups.problem() is not None
        await worker.drain()
        worker = world.start_worker("worker-3")
        await asyncio.sleep(60)
        assert (len(world.stage.runs_of("job-1")), world.stage.runs_of("job-2")) == (1, [])
        monkeypatch.undo()
        await world.settle(600)
        await asyncio.sleep(60)
        assert worker.reader.look_ups.problem() is None

    world = simulate(story)
    accounted(world, ["job-1", "job-2"])
    assert (len(world.stage.runs_of("job-1")), len(world.stage.runs_of("job-2"))) == (1, 1)


def test_an_erased_job_gets_no_content_again() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1))
        await world.settle(600)
        await world.append(fact(world, "job-1", JobErased(by="owner")))
        await asyncio.sleep(MOMENT_S)
        await later(world, worker)
        await world.blobs.put("job-1/in", b"what came with the repeat")
        await repeat(world, "job-1")
        await asyncio.sleep(60)
        assert not await world.blobs.names("job-1")

    world = simulate(story)
    accounted(world, ["job-1"])
    assert len(world.stage.runs_of("job-1")) == 1


@pytest.mark.parametrize("known", [True, False], ids=["expanded before", "new"])
def test_an_unchecked_batch_is_expanded_once(known: bool) -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        if known:
            await create_batch(world, "batch-1", 3)
            await world.settle(600)
            worker = await later(world, worker)
        await create_batch(world, "batch-1", 3, unchecked=True)
        await asyncio.sleep(60)
        await world.settle(600)
        created = [one.fact().data for one in await records(world)]
        assert len([one for one in created if isinstance(one, JobCreated) and one.batch_id == "batch-1"]) == 3
        expanded = [one for one in await facts_of(world, "batch-1") if isinstance(one, BatchExpanded)]
        assert len(expanded) == 1
        assert "batch-1" in worker.reader.live()[world.home_of("batch-1")].ended

    world = simulate(story)
    accounted(world, [])


def test_many_repeats_share_a_few_scans_of_their_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    scans = 0

    async def story(world: World) -> None:
        read = world.log.scan

        def counted(topic: Topic, begin: dict[int, int], end: dict[int, int]) -> AsyncGenerator[list[Record], None]:
            nonlocal scans
            scans += topic is JOB_EVENTS
            return read(topic, begin, end)

        monkeypatch.setattr(world.log, "scan", counted)
        for number in range(200):
            await repeat(world, f"job-{number}")
        world.start_worker("worker-1")
        await world.settle(3600)

    accounted(simulate(story, partitions=2, slots=8), [f"job-{number}" for number in range(200)])
    assert scans == 2
