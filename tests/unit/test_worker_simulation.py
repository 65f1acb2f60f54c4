"""The worker as a process manager, through crashes, zombies, handovers and repeats: real parts, virtual time.

Each seed is one course of events, the same in every run. What must hold in all of them is judged by the history
checker (piperoll.history) over the whole log, and by the workers' own children, which refuse to run what is over.
"""

import asyncio

import pytest

from piperoll.blobs import BlobStoreError
from piperoll.domain.job import Status
from piperoll.log.record import Record
from schemas.claims import Claim
from schemas.envelope import UnknownEventError
from schemas.events import (
    JobCancelled,
    JobCreated,
    JobErased,
    JobProgress,
    JobReleased,
    JobRetryScheduled,
)
from schemas.ids import member_id
from schemas.topics import DEAD_LETTERS, JOB_EVENTS
from tests.support.clients import create, create_batch, creation, fact, simulate
from tests.support.histories import from_the_future
from tests.support.scripted_pool import Script
from tests.support.simulation import SESSION_S, World
from tests.support.storm import Storm

SEEDS = range(16)
GRACE_S = 15.0
MOMENT_S = 2.0  # a poll, the way to the log and back


def accounted(world: World, acknowledged: list[str]) -> None:
    """What must hold at the end of every story."""
    assert [worker.failure for worker in world.workers.values() if worker.failure] == []
    assert world.history.violations() == []
    assert world.history.unsettled(acknowledged) == []
    for job in world.history.jobs.values():
        assert job.retries < job.max_attempts
        assert job.losses <= 11
    for worker in world.workers.values():
        assert worker.pool.running == {}
        assert worker.pool.most <= world.slots


async def facts_of(world: World, subject: str) -> list[object]:
    """What the log holds of a job, in order, accepted or not."""
    return [record.fact().data for record in await records(world) if record.key == subject.encode()]


async def records(world: World) -> list[Record]:
    ends = await world.log.end_offsets(JOB_EVENTS)
    return await world.log.read_range(JOB_EVENTS, dict.fromkeys(ends, 0), ends)


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
    said: list[object] = []

    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await create(world, "job-1")
        await world.settle(60)
        said.extend(await facts_of(world, "job-1"))

    simulate(story)
    assert [type(one).__name__ for one in said] == ["JobCreated", "JobStarted", *["JobProgress"] * 3, "JobCompleted"]
    assert [one.sequence for one in said if isinstance(one, JobProgress)] == [1, 2, 3]


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
    said: list[object] = []

    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1, failures=99))
        await world.settle(600)
        said.extend(await facts_of(world, "job-1"))

    world = simulate(story)
    job = world.history.jobs["job-1"]
    assert (job.status, job.error_code, job.attempt, job.retries) == (Status.FAILED, "PROCESSOR_CRASHED", 3, 2)
    delays = [one.delay_s for one in said if isinstance(one, JobRetryScheduled)]
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
        await world.append(fact(world, "job-1", JobCancelled(by="somebody")))
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
            await world.append(fact(world, f"job-{number}", JobCancelled(by="somebody")))
            part = world.home_of(f"job-{number}")
            claimed, cancelled = (await _tail(world, part))[-2:]
            await worker.intake.handle(part, [claimed])
            worker.runner._fill()  # in one breath with what follows, as when both tasks are due at once
            await worker.intake.handle(part, [cancelled])
            worker.positions[part] = cancelled.offset + 1
            assert len(world.stage.begun) == before
        await create(world, "job-last", Script(seconds=1))
        await asyncio.sleep(MOMENT_S + 1)
        assert world.history.jobs["job-last"].status is Status.COMPLETED

    simulate(story, slots=1)


def test_erasure_waits_for_the_child_and_leaves_no_blob() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=1000))
        await world.blobs.put("job-1/in", b"content")
        await asyncio.sleep(10)
        assert worker.pool.running
        await world.append(fact(world, "job-1", JobErased(by="somebody")))
        await asyncio.sleep(MOMENT_S)
        assert not worker.pool.running
        assert await world.blobs.delete_folder("job-1") == 0

    world = simulate(story)
    assert world.history.jobs["job-1"].erased


def test_content_is_erased_also_when_the_worker_dies_before_it_could() -> None:
    async def story(world: World) -> None:
        await create(world, "job-1")
        await world.blobs.put("job-1/in", b"content")
        await world.append(fact(world, "job-1", JobErased(by="somebody")))
        world.start_worker("worker-1")  # the erasure stands in its replay
        await asyncio.sleep(MOMENT_S)
        assert await world.blobs.delete_folder("job-1") == 0

    simulate(story)


# --- handovers -----------------------------------------------------------------------------------------------------


def test_a_lost_workers_job_is_taken_over_after_the_grace_and_counts_one_loss() -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=60))
        await asyncio.sleep(10)
        first.crash()
        crashed = world.loop.time()
        world.start_worker("worker-2")
        await asyncio.sleep(SESSION_S + GRACE_S - 1)
        assert len(world.stage.runs_of("job-1")) == 1
        await asyncio.sleep(MOMENT_S + 1)
        assert len(world.stage.runs_of("job-1")) == 2
        assert world.loop.time() - crashed < SESSION_S + GRACE_S + 2 * MOMENT_S
        await world.settle(600)

    world = simulate(story, partitions=1)
    accounted(world, ["job-1"])
    job = world.history.jobs["job-1"]
    assert (job.status, job.attempt, job.losses, job.retries) == (Status.COMPLETED, 2, 1, 0)


def test_a_draining_worker_gives_its_jobs_back_at_once_and_nothing_is_charged() -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=60))
        await asyncio.sleep(10)
        world.start_worker("worker-2")
        await first.drain()
        assert not first.pool.running
        await asyncio.sleep(MOMENT_S)
        assert len(world.stage.runs_of("job-1")) == 2
        await world.settle(600)
        reasons = [one.reason for one in await facts_of(world, "job-1") if isinstance(one, JobReleased)]
        assert reasons == ["drain"]

    world = simulate(story, partitions=1)
    accounted(world, ["job-1"])
    job = world.history.jobs["job-1"]
    assert (job.status, job.attempt, job.losses, job.retries) == (Status.COMPLETED, 2, 0, 0)


def test_a_partition_that_moves_takes_its_jobs_along_and_leaves_the_others_alone() -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        names = [await create(world, f"job-{number}", Script(seconds=60)) for number in range(8)]
        await asyncio.sleep(10)
        running = dict(first.pool.running)
        assert len(running) == 8
        world.start_worker("worker-2")
        await asyncio.sleep(MOMENT_S)
        stayed = {name for name in names if world.home_of(name) in first.positions}
        assert {name: run for name, run in running.items() if name in stayed} == first.pool.running
        assert set(world.workers["worker-2"].pool.running) == set(names) - stayed
        await world.settle(600)

    world = simulate(story, partitions=4, slots=8)
    accounted(world, [f"job-{number}" for number in range(8)])
    assert all(job.losses == 0 for job in world.history.jobs.values())


def test_a_worker_that_is_lost_again_and_again_makes_the_job_fail() -> None:
    async def story(world: World) -> None:
        await create(world, "job-1", Script(seconds=1000))
        for number in range(12):
            worker = world.start_worker(f"worker-{number}")
            await asyncio.sleep(GRACE_S + MOMENT_S + 1)
            worker.crash()
            await asyncio.sleep(SESSION_S + 1)
            if not world.open_jobs():
                break

    world = simulate(story, partitions=1)
    job = world.history.jobs["job-1"]
    assert (job.status, job.error_code) == (Status.FAILED, "WORKER_LOST")
    assert job.losses == 11
    assert len(world.stage.runs_of("job-1")) == 11  # the twelfth claim only said so


def test_two_workers_that_both_believe_to_own_a_partition_do_not_outbid_each_other_without_end() -> None:
    async def story(world: World) -> None:
        for name in ("worker-1", "worker-2"):
            world.start_worker(name)
            world.dealt = {0: name}  # the group knows only the newest; the first never hears of it
            await asyncio.sleep(MOMENT_S)
            world.workers[name].deaf_until = float("inf")
        await create(world, "job-short", Script(seconds=10))
        await create(world, "job-long", Script(seconds=100))
        await world.settle(600)

    world = simulate(story, partitions=1)
    accounted(world, ["job-short", "job-long"])
    assert world.history.jobs["job-short"].status is Status.COMPLETED
    assert world.history.jobs["job-short"].losses == 0
    starts = world.history.jobs["job-long"].attempt
    assert starts <= 12
    assert world.loop.time() < starts * (GRACE_S + MOMENT_S) + 60


def test_a_zombies_late_word_does_not_count_and_its_children_end() -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=60))
        await asyncio.sleep(10)
        first.online.clear()  # cut off: its child goes on and completes
        first.leave_group()
        world.start_worker("worker-2")
        await asyncio.sleep(55)
        assert len(world.stage.runs_of("job-1")) == 2
        assert world.stage.finished["job-1"] == 1
        first.online.set()
        await asyncio.sleep(MOMENT_S)
        assert world.history.jobs["job-1"].status is Status.PROCESSING
        await world.settle(600)

    world = simulate(story, partitions=1)
    accounted(world, ["job-1"])
    job = world.history.jobs["job-1"]
    assert (job.status, job.attempt, job.worker) == (Status.COMPLETED, 2, "worker-2")


# --- batches -------------------------------------------------------------------------------------------------------


def test_a_batch_becomes_its_members_once() -> None:
    created: list[object] = []

    async def story(world: World) -> None:
        world.start_worker("worker-1")
        for name in await create_batch(world, "batch-1", 250):
            world.stage.scripts[name] = Script(seconds=1)
        await world.settle(600)
        created.extend(one for one in await records(world) if isinstance(one.fact().data, JobCreated))

    world = simulate(story, slots=8)
    accounted(world, [member_id("batch-1", index) for index in range(250)])
    assert len(created) == 250


@pytest.mark.parametrize("moment_s", [0.05, 0.3, 0.6, 0.9, 1.2])
def test_an_expansion_that_dies_in_the_middle_is_finished_by_the_next_worker(moment_s: float) -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1", lag_s=0.2)
        await asyncio.sleep(1)
        await create_batch(world, "batch-1", 250)
        await asyncio.sleep(moment_s)
        first.crash()
        landed = len([one for one in await records(world) if isinstance(one.fact().data, JobCreated)])
        world.start_worker("worker-2")
        await world.settle(3600)
        again = len([one for one in await records(world) if isinstance(one.fact().data, JobCreated)])
        assert again == 250, f"{landed} had been created before the crash"

    accounted(simulate(story, slots=8), [member_id("batch-1", index) for index in range(250)])


def test_an_expansion_stops_when_its_partition_is_given_up() -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1", lag_s=0.2)
        await asyncio.sleep(1)
        await create_batch(world, "batch-1", 250)
        await asyncio.sleep(0.8)
        await first.drain()
        assert not world.history.batches["batch-1"].expanded
        world.start_worker("worker-2")
        await world.settle(3600)
        assert len([one for one in await records(world) if isinstance(one.fact().data, JobCreated)]) == 250

    accounted(simulate(story, slots=8), [member_id("batch-1", index) for index in range(250)])


def test_a_member_cancelled_before_it_is_created_never_runs() -> None:
    async def story(world: World) -> None:
        (first, _) = await create_batch(world, "batch-1", 2)
        await world.append(fact(world, first, JobCancelled(by="somebody")))
        world.start_worker("worker-1")
        await world.settle(600)

    world = simulate(story)
    accounted(world, [member_id("batch-1", index) for index in range(2)])
    assert world.history.jobs[member_id("batch-1", 0)].status is Status.CANCELLED
    assert world.stage.runs_of(member_id("batch-1", 0)) == []


def test_an_expansion_waits_for_a_blob_store_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(world: World) -> None:
        def away(*_: object) -> Claim:
            raise BlobStoreError("away")

        monkeypatch.setattr(world.blobs.sync, "get", away)
        await create_batch(world, "batch-1", 2)
        world.start_worker("worker-1")
        await asyncio.sleep(60)
        assert world.stage.begun == []
        monkeypatch.undo()
        await world.settle(600)

    accounted(simulate(story), [member_id("batch-1", index) for index in range(2)])


# --- the log -------------------------------------------------------------------------------------------------------


def test_gaps_in_the_offsets_stall_nothing() -> None:
    async def story(world: World) -> None:
        world.start_worker("worker-1")
        for number in range(10):
            await world.append(fact(world, f"job-{number}", creation()), gap_before=True)
        await asyncio.sleep(MOMENT_S)
        world.start_worker("worker-2")
        await world.settle(600)

    accounted(simulate(story), [f"job-{number}" for number in range(10)])


def test_a_record_that_is_no_event_is_parked_and_so_is_what_follows_of_its_job() -> None:
    parked: list[Record] = []

    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await world.land(b"job-bad", b"no event", [])
        await create(world, "job-bad")
        await create(world, "job-good")
        await asyncio.sleep(20)
        ends = await world.log.end_offsets(DEAD_LETTERS)
        parked.extend(await world.log.read_range(DEAD_LETTERS, dict.fromkeys(ends, 0), ends))

    world = simulate(story)
    assert world.history.jobs["job-good"].status is Status.COMPLETED
    assert world.stage.runs_of("job-bad") == []
    assert [record.key for record in parked] == [b"job-bad", b"job-bad"]
    assert parked[0].value == b"no event"
    assert [dict(record.headers)["piperoll_reason"] for record in parked] == [
        b"the header ce_id is missing",
        b"an earlier record of the same key could not be decoded",
    ]


def test_an_event_of_a_later_release_stops_the_worker_before_it_does_harm() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        record = from_the_future("job-1", 0, 0)
        await world.log.append_raw(JOB_EVENTS, record.key, record.value, record.headers)
        await asyncio.sleep(MOMENT_S)
        assert worker.main.done()

    failure = simulate(story).workers["worker-1"].failure
    assert isinstance(failure, ExceptionGroup)
    assert failure.subgroup(UnknownEventError)


def test_a_checkpoint_shortens_the_replay_and_changes_nothing_else() -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        for number in range(5):
            await create(world, f"job-{number}", Script(seconds=1))
        await world.settle(600)
        await first.drain()
        second = world.start_worker("worker-2")
        await asyncio.sleep(MOMENT_S)
        assert second.positions == await world.log.end_offsets(JOB_EVENTS)
        assert second.handled == 0
        await asyncio.sleep(60)

    world = simulate(story)
    accounted(world, [f"job-{number}" for number in range(5)])
    assert len(world.stage.begun) == 5


def test_another_owners_job_waits_for_no_more_than_one_slot_to_free() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        for number in range(20):
            await create(world, f"greedy-{number}", Script(seconds=5 + number), owner="greedy")
        await asyncio.sleep(MOMENT_S)
        assert len(worker.pool.running) == 2
        await create(world, "modest-0", Script(seconds=5), owner="modest")
        await world.settle(3600)

    world = simulate(story, slots=2)
    accounted(world, ["modest-0", *(f"greedy-{number}" for number in range(20))])
    assert world.stage.begun[2][0] == "modest-0"


async def _tail(world: World, part: int) -> list[Record]:
    return [record for record in await records(world) if record.partition == part]
