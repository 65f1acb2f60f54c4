"""The worker as a process manager, through crashes, zombies, handovers and repeats: real parts, virtual time.

Each seed is one course of events, the same in every run. What must hold in all of them is judged by the history
checker (piperoll.history) over the whole log, and by the workers' own children, which refuse to run what is over.
"""

import asyncio

import pytest

from piperoll.domain.job import Status
from piperoll.log.record import Record
from schemas.events import (
    JobCancelled,
    JobErased,
    JobProgress,
    JobRetryScheduled,
)
from tests.support.files.indexes import put_part
from tests.support.simulation.clients import accounted, create, fact, facts_of, records, simulate
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.storm import Storm
from tests.support.simulation.world import World

SEEDS = range(16)
GRACE_S = 15.0
MOMENT_S = 2.0  # a poll, the way to the log and back


# --- any course of events ------------------------------------------------------------------------------------------


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


# --- quiet days ----------------------------------------------------------------------------------------------------


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


def test_a_run_appends_its_start_its_progress_and_its_end_in_this_order() -> None:
    appended: list[object] = []

    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await create(world, "job-1")
        await world.settle(60)
        appended.extend(await facts_of(world, "job-1"))

    simulate(story)
    assert [type(one).__name__ for one in appended] == [
        "JobCreated",
        "JobStarted",
        *["JobProgress"] * 3,
        "JobCompleted",
    ]
    assert [one.sequence for one in appended if isinstance(one, JobProgress)] == [1, 2, 3]


def test_all_slots_are_used_and_no_more() -> None:
    async def story(world: World) -> None:
        world.start_worker("worker-1")
        for number in range(9):
            await create(world, f"job-{number}", Script(seconds=10))
        await world.settle(600)

    world = simulate(story, slots=3)
    accounted(world, [f"job-{number}" for number in range(9)])
    assert world.workers["worker-1"].pool.most == 3
    assert world.loop.time() < 3 * 10 + 5 * MOMENT_S


def test_failed_attempts_are_retried_after_their_delay_and_then_the_job_fails() -> None:
    appended: list[object] = []

    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1, failures=99))
        await world.settle(600)
        appended.extend(await facts_of(world, "job-1"))

    world = simulate(story)
    job = world.history.jobs["job-1"]
    assert (job.status, job.error_code, job.attempt, job.retries) == (Status.FAILED, "PROCESSOR_CRASHED", 3, 2)
    delays = [one.delay_s for one in appended if isinstance(one, JobRetryScheduled)]
    assert 5 <= delays[0] <= 6.25
    assert 10 <= delays[1] <= 12.5
    assert world.loop.time() >= sum(delays) + 3


def test_what_lies_in_the_input_fails_at_once() -> None:
    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1, failures=1, fatal=True))
        await world.settle(600)

    job = simulate(story).history.jobs["job-1"]
    assert (job.status, job.error_code, job.attempt) == (Status.FAILED, "INVALID_PDF", 1)


def test_a_retry_that_falls_due_while_all_slots_are_taken_waits_without_looking_all_the_time() -> None:
    """The loop that fills the slots must sleep until one is free: in virtual time a busy loop is an error."""

    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1, failures=1))
        await asyncio.sleep(MOMENT_S)
        await create(world, "job-2", Script(seconds=300))
        await world.settle(600)

    accounted(simulate(story, slots=1), ["job-1", "job-2"])


# --- cancel and erase ----------------------------------------------------------------------------------------------


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
