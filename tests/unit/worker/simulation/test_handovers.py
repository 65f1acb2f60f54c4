"""Handovers between workers, batches, and what a log may hold: one story each, in the simulated world."""

import asyncio

import pytest

from piperoll.domain.backlog import Backlog
from piperoll.domain.job import Status
from piperoll.log.checkpoint import Checkpoints
from piperoll.log.record import Record
from piperoll.store.blobs import BlobStoreError
from schemas.claims import Claim
from schemas.envelope import UnknownEventError
from schemas.events import (
    JobCancelled,
    JobCreated,
    JobReleased,
)
from schemas.ids import member_id
from schemas.topics import DEAD_LETTERS, JOB_EVENTS
from tests.support.histories.jobs import from_the_future
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
from tests.support.simulation.world import SESSION_S, World

GRACE_S = 15.0
MOMENT_S = 2.0  # a poll, the way to the log and back


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
    assert len(world.stage.runs_of("job-1")) == 11  # the twelfth claim only recorded it


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
        await world.append(fact(world, first, JobCancelled(by="user-1")))
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


def test_an_undecodable_record_is_parked_and_so_is_what_follows_of_its_job() -> None:
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


@pytest.mark.parametrize(
    ("next_offset", "last", "begun"),
    [(3, "its own", {3, 4}), (3, "another", {0, 1, 2, 3, 4}), (99, "its own", {0, 1, 2, 3, 4})],
    ids=["of this log", "of a log with another record there", "of a longer log"],
)
def test_a_checkpoint_of_another_log_is_passed_over(next_offset: int, last: str, begun: set[int]) -> None:
    """As when the log, but not the blob store, was restored from a backup, and has gone on since.

    The checkpoint has no open job: a reader that trusts it begins with what stands behind it.
    """

    async def story(world: World) -> None:
        for number in range(5):
            await create(world, f"job-{number}")
        ids = [record.ce_id for record in await records(world)]
        last_ce_id = ids[2] if last == "its own" else ids[1]
        await Checkpoints(world.blobs, "cluster", "simulation").save(0, Backlog(), next_offset, last_ce_id)
        world.start_worker("worker-1")
        await world.settle(60)

    world = simulate(story, partitions=1)
    assert {job_id for job_id, *_ in world.stage.begun} == {f"job-{number}" for number in begun}


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
