"""Outputs of runs that lost: deleted if their worker saw them lose; all others stay."""

import asyncio
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.backlog import Backlog
from piperoll.domain.job import Status
from piperoll.store.blobs import AsyncBlobs
from schemas.envelope import Fact
from schemas.events import Event
from services.worker.cleanup.lost_runs import LostRuns
from tests.support.histories.jobs import completed, created
from tests.support.histories.lives import (
    CANCELLED,
    appended,
    failed,
    fold,
    lives,
    progress,
    released,
    retry,
    started,
)
from tests.support.runs.erasing import Erasing, put
from tests.support.simulation.clients import create, creation, fact, simulate
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import World
from tests.support.waiting import wait_until

DETAILS = "0123456789abcdef" * 4
FIRST, SECOND, OTHER = started(1), started(2), started(2, "worker-b")


def lost(facts: list[Fact]) -> set[str]:
    """The runs that a fold of the facts gives to the eraser."""
    runs, backlog = LostRuns(), Backlog()
    return {run for one in facts for run in runs.see(backlog.fold_job(one))}


@pytest.mark.parametrize(
    ("history", "runs"),
    [
        ([FIRST, completed(FIRST.run)], set()),
        ([FIRST, failed(FIRST.run)], {FIRST.run}),
        ([FIRST, progress(FIRST.run), CANCELLED], {FIRST.run}),
        ([FIRST, retry(FIRST.run), SECOND, completed(SECOND.run)], {FIRST.run}),
        ([FIRST, released(FIRST.run), SECOND, failed(SECOND.run)], {FIRST.run, SECOND.run}),
        ([FIRST, OTHER, completed(FIRST.run), completed(OTHER.run)], {FIRST.run}),
        ([FIRST, OTHER], set()),
        ([CANCELLED], set()),
    ],
)
def test_a_run_loses_by_the_fold_and_is_given_up_at_the_end_of_the_job(history: list[Event], runs: set[str]) -> None:
    assert lost([appended(data, second) for second, data in enumerate([created(), *history])]) == runs


@given(lives())
def test_the_run_that_completed_a_job_is_never_among_the_lost_whatever_was_forgotten_before(life: list[Fact]) -> None:
    job = fold(life)
    winner = job.run if job is not None and job.status is Status.COMPLETED else None
    for begin in range(len(life)):  # a fold that forgot the job and sees its facts from here on
        known = fold(life[:begin])
        if known is None or known.status.terminal:
            assert winner not in lost(life[begin:])


@given(lives(), st.data())
def test_a_fold_that_goes_on_from_a_dump_finds_the_same_lost_runs(life: list[Fact], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(life)))
    runs, backlog = LostRuns(), Backlog()
    for one in life[:cut]:
        runs.see(backlog.fold_job(one))
    loaded = LostRuns.load(runs.dump(), backlog.jobs)
    found = {run for due in loaded.due.values() for run in due}
    found |= {run for one in life[cut:] for run in loaded.see(backlog.fold_job(one))}
    assert found == lost(life)


def test_what_is_due_is_kept_until_it_is_carried_out_or_long_past() -> None:
    runs, backlog = LostRuns(), Backlog()
    for second, data in enumerate([created(), FIRST, CANCELLED]):
        runs.see(backlog.fold_job(appended(data, second)))
    (job_id,) = runs.due
    runs.forget(backlog.ended)
    assert runs.due == {job_id: {FIRST.run}}
    kept = LostRuns.load(runs.dump(), backlog.jobs)
    kept.forget(())
    assert kept.dump() == {}
    runs.carried_out(job_id)
    assert runs.dump() == {}


async def test_only_the_outputs_of_lost_runs_go_and_the_details_of_failures_stay(
    blobs: AsyncBlobs, erasing: Erasing
) -> None:
    kept = ["job-1/in/abc", "job-1/cache/acme/k1", f"job-1/lost/{DETAILS}", "job-1/unknown/result.json"]
    put(blobs, *kept, "job-1/lost/result.json", "job-1/lost/images/a.jpg", "job-2/lost/result.json")
    done: list[str] = []
    for job_id in ("job-1", "job-2"):
        erasing.eraser.tidy(job_id, frozenset({"lost"}), partial(done.append, job_id))
    await erasing.gone("job-2")

    async def only_kept() -> bool:
        return sorted(await blobs.names("job-1")) == sorted(kept)

    await wait_until(only_kept, 5, "the outputs of the lost run to be gone")
    await wait_until(lambda: sorted(done) == ["job-1", "job-2"], 5, "both to be reported")


def test_a_job_that_is_created_again_after_it_was_forgotten_keeps_its_result() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        worker.pool._may_begin = lambda _: None
        await create(world, "job-1", Script(seconds=5))
        await world.settle(600)
        job = world.history.jobs["job-1"]
        assert job.result is not None
        world.blobs.sync.put_named(job.result.uri, b"{}", "application/json")
        for state in worker.reader._partitions.values():
            state.backlog.forget_ended(world.loop.clock().replace(year=2027))
        world.stage.scripts["job-1"] = Script(seconds=5, failures=99, fatal=True)
        await world.append(fact(world, "job-1", creation()))
        await asyncio.sleep(60)
        assert await world.blobs.names(f"job-1/{job.run}") == (job.result.uri,)

    simulate(story, partitions=1)


@pytest.mark.parametrize("moment", ["its job is open", "its job has ended"])
def test_what_a_lost_run_left_is_deleted_by_a_worker_that_begins_with_a_later_checkpoint(moment: str) -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=40))
        await asyncio.sleep(10)
        (run,) = world.stage.runs_of("job-1")
        world.blobs.sync.put_named(f"job-1/{run}/images/1.png", b"image", "image/png")
        first.crash()
        second = world.start_worker("worker-2")
        while len(world.stage.runs_of("job-1")) < 2:  # noqa: ASYNC110 - virtual time, and no one event
            await asyncio.sleep(1)
        await asyncio.sleep(2)
        if moment == "its job has ended":
            second.eraser.tidy = lambda *_: None  # type: ignore[method-assign] # it dies before the deletion
            await world.settle(600)
        await second.reader.save_checkpoints()
        second.crash()
        assert await world.blobs.names(f"job-1/{run}")
        third = world.start_worker("worker-3")
        await world.settle(600)
        await asyncio.sleep(30)
        assert third.failure is None
        assert await world.blobs.names(f"job-1/{run}") == ()

    world = simulate(story, partitions=1)
    assert world.history.jobs["job-1"].status is Status.COMPLETED
