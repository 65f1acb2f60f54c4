"""The sweep: what it deletes, and what it spares."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.backlog import REMEMBER_ENDED, Backlog, Erasure
from piperoll.domain.ended_ids import EndedIds
from piperoll.log.record import partition_of
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, BlobEntry
from services.worker.cleanup.sweep import ORPHANED_AFTER, ORPHANED_BEFORE, Ages, Reason, Sweeper, condemned
from tests.support.histories.jobs import BEGAN
from tests.support.runs.erasing import ENDED, Erasing, cache_entry, put

OLD = timedelta(days=30)

AGES = Ages(upload=timedelta(days=7), cache=timedelta(days=30))

HOUR = timedelta(hours=1)


def backlog() -> Backlog:
    return Backlog(
        jobs={"job-open": ENDED},
        ended=EndedIds({"job-ended": BEGAN, "batch-done": BEGAN, "job-erased": BEGAN}),
        batches={},
        parked={"job-parked"},
        erased={"job-erased": Erasure(BEGAN, "acme")},
    )


def why(uri: str, age: timedelta, known: Backlog | None = None, ages: Ages = AGES) -> Reason | None:
    return condemned(BlobEntry(uri, BEGAN - age), BEGAN, ages, lambda subject: known)


@pytest.mark.parametrize(
    ("uri", "age", "reason"),
    [
        ("job-erased/run/late.json", HOUR, "erased"),
        ("job-lost/in/abc", ORPHANED_AFTER + HOUR, "orphaned"),
        ("batch-lost/specs/abc", ORPHANED_AFTER + HOUR, "orphaned"),
        ("job-lost/in/abc", ORPHANED_AFTER - HOUR, None),  # its record may be on its way
        ("job-lost/in/abc", ORPHANED_BEFORE + HOUR, None),  # its end may be forgotten
        ("job-open/in/abc", 10 * HOUR, None),
        ("job-ended/run/result.json", 10 * HOUR, None),
        ("job-parked/in/abc", 10 * HOUR, None),
        ("batch-done/specs/abc", 2 * HOUR, "expanded"),
        ("batch-done/in/name", 2 * HOUR, None),
        ("uploads/acme/file-1/a.pdf", timedelta(days=8), "upload"),
        ("uploads/acme/file-1/a.pdf", timedelta(days=6), None),
        ("uses/acme/file-1/job-1", timedelta(days=8), "upload"),
        ("cache/acme/k1", timedelta(days=31), "cache"),
        ("cache/acme/k1", timedelta(days=29), None),
        ("checkpoints/piperoll.worker/3", OLD, None),
        ("something/else", OLD, None),
    ],
)
def test_what_the_sweep_takes(uri: str, age: timedelta, reason: Reason | None) -> None:
    assert why(uri, age, backlog()) == reason


@given(
    st.sampled_from(
        ["job-1/in/a", "job-erased/run/b", "batch-1/specs/c", "uploads/a/b/c", "cache/a/k", "checkpoints/1"]
    ),
    st.timedeltas(timedelta(0), timedelta(days=100)),
)
def test_a_worker_takes_nothing_of_partitions_that_are_not_its_own(uri: str, age: timedelta) -> None:
    assert why(uri, age, None, Ages(None, None)) is None


@given(st.timedeltas(timedelta(0), timedelta(days=10)), st.timedeltas(timedelta(0), timedelta(days=10)))
def test_no_blob_of_a_job_that_was_ever_in_the_log_is_taken_for_an_orphan(ran: timedelta, since: timedelta) -> None:
    """However long it ran and however long ago that was: as long as its end is remembered it is known, and then old."""
    forgotten = since > REMEMBER_ENDED
    known = Backlog() if forgotten else Backlog(ended=EndedIds({"job-1": BEGAN - since}))
    assert why("job-1/in/abc", ran + since, known) is None


async def test_a_sweep_deletes_what_it_condemns_and_erases_again(
    tmp_path: Path, blobs: AsyncBlobs, erasing: Erasing
) -> None:
    put(blobs, "job-erased/run/late.json", "job-open/in/abc", "job-lost/in/abc", "uploads/acme/file-1/a.pdf")
    cache_entry(blobs, "job-erased", "job-erased")
    settings = Settings(blob_url=tmp_path.as_uri(), partitions=1, sweep_interval_s=0.01, upload_ttl_s=3600)

    def later() -> datetime:
        return datetime.now(BEGAN.tzinfo) + timedelta(hours=10)

    known = backlog()
    known.jobs["job-open"] = replace(ENDED, created_at=later())
    sweeper = Sweeper(settings, blobs, later, lambda: {0: known}, erasing.eraser)
    stopping = asyncio.Event()
    task = asyncio.create_task(sweeper.run(stopping))
    for folder in ("job-erased", "job-lost", "uploads", "cache"):
        await erasing.gone(folder)
    stopping.set()
    await task
    assert await blobs.names("job-open")


@pytest.mark.parametrize(("age_h", "spared"), [(9, True), (0.5, False)])
async def test_uploads_are_spared_while_an_old_job_is_open(
    tmp_path: Path, blobs: AsyncBlobs, erasing: Erasing, age_h: float, spared: bool
) -> None:
    put(blobs, "uploads/acme/file-1/a.pdf", "job-lost/in/abc")
    settings = Settings(blob_url=tmp_path.as_uri(), partitions=1, sweep_interval_s=0.01, upload_ttl_s=3600)
    now = datetime.now(BEGAN.tzinfo) + timedelta(hours=10)
    known = Backlog(jobs={"job-open": replace(ENDED, created_at=now - timedelta(hours=age_h))})
    sweeper = Sweeper(settings, blobs, lambda: now, lambda: {0: known}, erasing.eraser)
    stopping = asyncio.Event()
    task = asyncio.create_task(sweeper.run(stopping))
    await erasing.gone("job-lost")
    stopping.set()
    await task
    assert bool(await blobs.names("uploads")) is spared


async def test_each_worker_sweeps_after_its_own_partitions(tmp_path: Path, blobs: AsyncBlobs, erasing: Erasing) -> None:
    lost = [f"job-{number}" for number in range(20)]
    put(blobs, "cache/acme/k1", *(f"{job_id}/in/abc" for job_id in lost))
    settings = Settings(blob_url=tmp_path.as_uri(), partitions=2, sweep_interval_s=0.01, cache_ttl_s=0)
    now = datetime.now(BEGAN.tzinfo) + timedelta(hours=10)
    sweeper = Sweeper(settings, blobs, lambda: now, lambda: {1: Backlog()}, erasing.eraser)
    stopping = asyncio.Event()
    task = asyncio.create_task(sweeper.run(stopping))
    for job_id in lost:
        if partition_of(job_id, 2) == 1:
            await erasing.gone(job_id)
    stopping.set()
    await task
    left = {job_id for job_id in lost if await blobs.names(job_id)}
    assert left == {job_id for job_id in lost if partition_of(job_id, 2) == 0}
    assert await blobs.names("cache"), "the worker that has the first partition sweeps the cache"
