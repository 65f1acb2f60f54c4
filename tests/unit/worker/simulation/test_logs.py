"""What a log may hold, and checkpoints, in the simulated world."""

import asyncio

import pytest

from piperoll.domain.backlog import Backlog
from piperoll.domain.job import Status
from piperoll.log.backlog_checkpoint import Checkpoint, Checkpoints
from piperoll.log.continuity import LogDivergedError
from piperoll.log.record import Record
from schemas.envelope import UnknownEventError
from schemas.topics import DEAD_LETTERS, JOB_EVENTS
from tests.support.histories.jobs import from_the_future
from tests.support.simulation.clients import (
    accounted,
    create,
    creation,
    fact,
    records,
    simulate,
)
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import World

MOMENT_S = 2.0  # a poll, the way to the log and back


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
    [(3, "its own", {3, 4}), (3, "another", set()), (99, "its own", set())],
    ids=["of this log", "of a log with another record there", "of a longer log"],
)
def test_a_worker_ends_at_a_checkpoint_of_another_log(next_offset: int, last: str, begun: set[int]) -> None:
    """As when the log, but not the blob store, was restored from a backup, and has gone on since.

    The checkpoint has no open job: a reader that trusts it begins with what stands behind it.
    """

    async def story(world: World) -> None:
        for number in range(5):
            await create(world, f"job-{number}")
        ids = [record.ce_id for record in await records(world)]
        last_ce_id = ids[2] if last == "its own" else ids[1]
        await Checkpoints(world.blobs, "cluster", "simulation").save(0, Checkpoint(Backlog(), next_offset, last_ce_id))
        worker = world.start_worker("worker-1")
        await world.settle(60)
        refused = isinstance(worker.failure, ExceptionGroup) and worker.failure.subgroup(LogDivergedError)
        assert bool(refused) is not bool(begun)

    world = simulate(story, partitions=1)
    assert {job_id for job_id, *_ in world.stage.begun} == {f"job-{number}" for number in begun}


def test_a_checkpoint_that_is_written_while_a_dead_letter_waits_for_the_log_is_of_this_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its offset and its record id are both of the record before the one that is parked."""

    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        await create(world, "job-0", Script(seconds=1))
        await world.settle(60)
        await asyncio.sleep(10)
        read, waiting = world.log.end_of(JOB_EVENTS, 0), asyncio.Event()

        async def never(*_: object) -> None:
            waiting.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(first.reader._dead_letters, "park_all", never)
        await create(world, "job-1", Script(seconds=1))
        await world.land(b"job-bad", b"no event", [])
        await waiting.wait()
        await first.reader.save_checkpoints()
        assert first.handled == read, "both are of one poll"
        written = await Checkpoints(world.blobs, "cluster", "simulation").load(0)
        assert written is not None
        assert written.next_offset == read + 1
        first.crash()
        monkeypatch.undo()
        second = world.start_worker("worker-2")
        await world.settle(60)
        assert second.failure is None

    world = simulate(story, partitions=1)
    accounted(world, [f"job-{number}" for number in range(2)])


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
