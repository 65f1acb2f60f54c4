"""Ids without a fact: deleted on proof alone, whatever the times of their blobs are."""

import asyncio
import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.events import JobCancelled, JobErased
from tests.support.histories.jobs import created
from tests.support.runs.sweeping import ENOUGH_S, HOUR_S, INTERVAL_S, Sweeping, sweeping

DAY_S = 24 * HOUR_S
NOT_YET_S = 42 * HOUR_S


def copied_with_new_times(one: Sweeping) -> None:
    """As `cp -r` and the copies of buckets do."""
    copy = one.root.with_name("copy")
    shutil.copytree(one.root, copy, copy_function=shutil.copyfile)
    shutil.rmtree(one.root)
    copy.rename(one.root)
    for path in one.root.rglob("*"):
        at = one.loop.clock().timestamp()
        os.utime(path, (at, at))


def test_a_store_that_was_copied_with_new_times_loses_nothing(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        for number in range(50):
            await one.finished(f"job-{number}")
        await asyncio.sleep(10 * DAY_S)
        await one.append("job-newer", created())  # by its time the fold forgets what ended before
        before = one.names()
        copied_with_new_times(one)
        await one.go_on(7 * DAY_S, deep=True)
        assert one.names() == before

    sweeping(tmp_path, story)


def test_a_request_that_never_became_a_job_is_deleted_in_the_end(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        await one.finished("job-1")
        one.put("job-lost/in/p", "batch-lost/specs/s", "batch-lost/in/name")
        await one.go_on(ENOUGH_S)
        assert one.names() == {"job-1/in/p", "job-1/run/result.json"}

    sweeping(tmp_path, story)


@pytest.mark.parametrize("late_s", [60.0, 7 * HOUR_S, 50 * HOUR_S])
def test_a_request_whose_append_arrives_after_an_outage_keeps_its_parameters(tmp_path: Path, late_s: float) -> None:
    """The log is away for that long, so that no sweep can read it; then the first sweep is faster than the append."""

    async def story(one: Sweeping) -> None:
        await one.finished("job-1")
        await one.once()
        one.put("job-late/in/p")
        await one.once()
        await asyncio.sleep(late_s)
        await one.finished("job-2")
        await one.once()
        await one.append("job-late", created())
        await one.go_on()
        assert "job-late/in/p" in one.names()

    sweeping(tmp_path, story)


def test_a_request_that_is_repeated_after_days_begins_again(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        await one.finished("job-1")
        one.put("job-again/in/p")
        await one.go_on(NOT_YET_S)
        one.put("job-again/in/p")
        assert (await one.go_on(NOT_YET_S)).doomed == []
        await one.append("job-again", created())
        await one.go_on()
        assert "job-again/in/p" in one.names()

    sweeping(tmp_path, story)


def test_the_fact_that_arrives_between_the_search_and_the_deletion_saves_the_blobs(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        await one.finished("job-1")
        one.put("job-late/in/p")
        await one.go_on(NOT_YET_S)
        await asyncio.sleep(INTERVAL_S)
        plan = await one.plan()
        assert [found.name for found in plan.doomed] == ["job-late"]
        await one.append("job-late", created())
        await asyncio.sleep(300)  # the confirmation of the plan is old by now
        await one.sweep.carry_out(plan, asyncio.Event())
        assert "job-late/in/p" in one.names()

    sweeping(tmp_path, story)


def test_a_folder_that_holds_the_outputs_of_a_run_is_never_an_orphan(tmp_path: Path) -> None:
    """Its job was in a log: this one was restored to an older state, or is another one."""

    async def story(one: Sweeping) -> None:
        await one.finished("job-1")
        one.put("job-2/in/p", "job-2/run/result.json", "job-3/run/result.json")
        before = one.names()
        await one.go_on(7 * DAY_S, deep=True)
        assert one.names() == before

    sweeping(tmp_path, story)


@pytest.mark.parametrize("fact", [JobCancelled(by="acme"), created()])
def test_any_fact_keeps_the_blobs_of_an_id(tmp_path: Path, fact: JobCancelled) -> None:
    async def story(one: Sweeping) -> None:
        await one.append("job-1", fact)
        await asyncio.sleep(30 * DAY_S)
        await one.append("job-newer", created())  # by its time the fold forgets what ended before
        one.put("job-1/in/p")
        await one.go_on(7 * DAY_S)
        assert one.names() == {"job-1/in/p"}

    sweeping(tmp_path, story)


def test_what_an_older_copy_of_the_store_brings_back_of_an_erased_job_is_erased_again(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        await one.finished("job-1")
        await one.append("job-1", JobErased(by="acme"))
        await asyncio.sleep(10 * DAY_S)
        one.put("job-1/in/p")
        await one.go_on()
        assert one.erased["job-1"].owner == "acme"
        assert one.names() == set()

    sweeping(tmp_path, story)


def test_a_log_that_lost_its_oldest_records_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(one: Sweeping) -> None:
        await one.finished("job-1")

        async def begins(_: object) -> dict[int, int]:
            return {0: 1}

        monkeypatch.setattr(one.log, "begin_offsets", begins)
        one.put("job-lost/in/p")
        await one.go_on()
        assert "job-lost/in/p" in one.names()

    sweeping(tmp_path, story)


def test_an_empty_log_proves_nothing(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        one.put("job-lost/in/p")
        assert await one.sweep.plan(deep=True) is None

    sweeping(tmp_path, story)


def test_the_clock_of_the_worker_ages_nothing(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        await one.finished("job-1")
        one.put("job-lost/in/p", "uploads/acme/file-1/a.pdf", "cache/acme/k1")
        before = one.names()
        one.local_off = timedelta(days=900)
        for _ in range(10):
            await one.once(deep=True)
        assert one.names() == before

    sweeping(tmp_path, story)


def test_notes_of_sweeps_outlive_the_worker(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        await one.finished("job-1")
        one.put("job-lost/in/p")
        for number in range(int(ENOUGH_S // INTERVAL_S)):
            await one.finished(f"job-other-{number}")  # a new process has the log's time from its newest record
            await one.once()
            await asyncio.sleep(INTERVAL_S)
            one.restart()
        assert "job-lost/in/p" not in one.names()

    sweeping(tmp_path, story)
