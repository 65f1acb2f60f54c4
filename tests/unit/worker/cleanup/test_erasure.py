"""Erasure and the sweep: what is deleted, what is spared, and that an entry, an upload or a winner is never taken."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.backlog import REMEMBER_ENDED, Backlog, Erasure
from piperoll.domain.job import Job, Status
from piperoll.history import History
from piperoll.log.record import partition_of
from piperoll.settings import Settings
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs, BlobEntry, Blobs, BlobStoreError
from schemas.events import JobErased
from services.projector.verify.run import leftovers
from services.worker.cleanup.erasure import SPECS_GRACE_S, Eraser, losing
from services.worker.cleanup.sweep import ORPHANED_AFTER, ORPHANED_BEFORE, Ages, Reason, Sweeper, condemned
from services.worker.run.cache import CacheEntry
from tests.support.files.indexes import put_part
from tests.support.histories.jobs import BEGAN, claim, created, fact
from tests.support.histories.lives import folded
from tests.support.simulation.virtual_time import VirtualLoop, run_virtually
from tests.support.waiting import wait_until

ENDED = replace(folded(created()), job_id="job-1", status=Status.COMPLETED, attempt=2, run="run-2")
OLD = timedelta(days=30)


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[AsyncBlobs]:
    store = AsyncBlobs(Blobs(tmp_path.as_uri()))
    yield store
    store.close()


class Erasing:
    """An eraser at work; `exits` are the jobs that have no child any more."""

    def __init__(self, blobs: AsyncBlobs) -> None:
        self.blobs = blobs
        self.exits: dict[str, asyncio.Event] = {}
        self.eraser = Eraser(blobs, self._exit)
        self.stopping = asyncio.Event()
        self.task = asyncio.create_task(self.eraser.run(self.stopping))

    async def _exit(self, job_id: str) -> None:
        if job_id in self.exits:
            await self.exits[job_id].wait()

    async def gone(self, folder: str) -> None:
        async def empty() -> bool:
            return not await self.blobs.names(folder)

        await wait_until(empty, 5, f"{folder} to be empty")

    async def stop(self) -> None:
        self.stopping.set()
        await self.task


@pytest.fixture
async def erasing(blobs: AsyncBlobs) -> AsyncIterator[Erasing]:
    one = Erasing(blobs)
    yield one
    await one.stop()


def give(blobs: AsyncBlobs, job_id: str, **parameters: object) -> None:
    """A job's parameters, as the API stores them."""
    blobs.sync.put(f"{job_id}/in", json.dumps({"job_type": "pdf", "parameters": parameters}).encode())


def cache_entry(blobs: AsyncBlobs, made_by: str, named: str) -> str:
    """An entry that `made_by` wrote; it names `named`, who may have replaced it since."""
    uri = "cache/acme/k1"
    kept = CacheEntry(job_id=named, run="run-1", made_at=BEGAN, result=claim("r"), files=())
    blobs.sync.put_named(f"{made_by}/{uri}", b"", "application/octet-stream")
    blobs.sync.replace(uri, kept.model_dump_json().encode())
    return uri


def put(blobs: AsyncBlobs, *uris: str) -> None:
    for uri in uris:
        blobs.sync.put_named(uri, b"content", "text/plain")


# --- erasing ------------------------------------------------------------------------------------------------------


async def test_everything_of_an_erased_job_goes_and_nothing_of_another(
    tmp_path: Path, blobs: AsyncBlobs, erasing: Erasing
) -> None:
    give(blobs, "job-1", filename="/in/a.pdf")
    put(blobs, "job-1/run-1/result.json", "job-1/run-1/images/page_001.jpg", "job-10/run-1/result.json")
    erasing.eraser.erase("job-1", "acme")
    await erasing.gone("job-1")
    assert await blobs.names("job-10") == ("job-10/run-1/result.json",)
    await wait_until(lambda: not (tmp_path / "job-1").exists(), 5, "not even its folders to be left")


async def test_nothing_is_deleted_before_the_child_has_exited(blobs: AsyncBlobs, erasing: Erasing) -> None:
    put(blobs, "job-1/run-1/result.json", "job-2/run-1/result.json")
    erasing.exits["job-1"] = asyncio.Event()
    erasing.eraser.erase("job-1", "acme")
    erasing.eraser.erase("job-2", "acme")
    await erasing.gone("job-2")
    put(blobs, "job-1/run-1/written-by-the-child")
    assert len(await blobs.names("job-1")) == 2
    erasing.exits["job-1"].set()
    await erasing.gone("job-1")


@pytest.mark.parametrize(("named", "left"), [("job-1", 0), ("job-2", 1)])
async def test_the_entry_that_a_job_made_goes_unless_another_replaced_it(
    blobs: AsyncBlobs, erasing: Erasing, named: str, left: int
) -> None:
    cache_entry(blobs, "job-1", named)
    erasing.eraser.erase("job-1", "acme")
    await erasing.gone("job-1")
    assert len(await blobs.names("cache")) == left


async def test_the_marks_of_an_index_go_with_it_and_with_a_run_that_lost(blobs: AsyncBlobs, erasing: Erasing) -> None:
    for job_id, run in (("job-1", "a"), ("job-2", "a"), ("job-2", "b")):
        put_part(blobs.sync, job_id, run, "doc-1", [("Text", (1.0,))])
    erasing.eraser.erase("job-1", "acme")
    await erasing.gone("job-1")
    erasing.eraser.tidy(replace(ENDED, job_id="job-2", run="b"))
    await erasing.gone("job-2/a")
    assert await blobs.names("documents") == ("documents/doc-1/indexes/job-2_b",)


async def test_an_upload_goes_with_the_last_job_that_was_given_it(blobs: AsyncBlobs, erasing: Erasing) -> None:
    put(blobs, "uploads/acme/file-1/a.pdf", "uploads/acme/file-2/b.pdf")
    for job_id in ("job-1", "job-2"):
        given = {"filename": "upload://file-1/a.pdf"}
        give(blobs, job_id, **given)
        for use in uploads.uses_by("acme", job_id, given):
            await blobs.mark(use)
    erasing.eraser.erase("job-1", "acme")
    await erasing.gone("job-1")
    assert await blobs.names("uploads/acme/file-1")
    erasing.eraser.erase("job-2", "acme")
    await erasing.gone("job-2")
    assert await blobs.names("uploads/acme/file-1") == ()
    assert await blobs.names("uses") == ()
    assert await blobs.names("uploads/acme/file-2")


async def test_all_uploads_of_an_import_go_with_it(blobs: AsyncBlobs, erasing: Erasing) -> None:
    put(blobs, "uploads/acme/file-1/a.pdf", "uploads/acme/file-2/b.pdf", "uploads/acme/file-3/c.pdf")
    items = [{"filename": f"upload://file-{number}/x.pdf"} for number in (1, 2, 1)]
    given = {"items": [*items, {"url": "https://example.com"}, {"filename": "/in/a.pdf"}]}
    give(blobs, "job-1", **given)
    uses = uploads.uses_by("acme", "job-1", given)
    assert uses == ("uses/acme/file-1/job-1", "uses/acme/file-2/job-1")
    for use in (*uses, "uses/acme/file-2/job-2"):
        await blobs.mark(use)
    erasing.eraser.erase("job-1", "acme")
    await erasing.gone("job-1")
    assert await blobs.names("uploads/acme/file-1") == ()
    assert await blobs.names("uploads/acme/file-2")  # another job reads it
    assert await blobs.names("uploads/acme/file-3")


async def test_a_batch_whose_name_and_specs_lie_outside_its_parameters_is_erased_too(
    blobs: AsyncBlobs, erasing: Erasing
) -> None:
    for content in (b'"A name"', b'[{"job_type": "pdf"}]', b"\xff", b"{}"):
        blobs.sync.put("batch-1/in", content)
    erasing.eraser.erase("batch-1", "acme")
    await erasing.gone("batch-1")


async def test_an_erasure_outlasts_a_blob_store_that_is_away(
    blobs: AsyncBlobs, erasing: Erasing, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(blobs, "job-1/run-1/result.json")
    answers = iter([BlobStoreError("away")])
    real = blobs.delete_folder

    async def failing_once(folder: str) -> int:
        for error in answers:
            raise error
        return await real(folder)

    monkeypatch.setattr(blobs, "delete_folder", failing_once)
    monkeypatch.setattr("services.worker.cleanup.erasure.STORE_PAUSE_S", 0.01)
    erasing.eraser.erase("job-1", "acme")
    await erasing.gone("job-1")


def test_the_specs_of_an_expanded_batch_go_after_a_grace() -> None:
    loop = VirtualLoop()

    async def story() -> None:
        blobs = AsyncBlobs(Blobs("memory:///"))
        put(blobs, "batch-1/specs/s", "batch-1/in/name")
        erasing = Erasing(blobs)
        erasing.eraser.drop_specs("batch-1")
        await asyncio.sleep(SPECS_GRACE_S - 1)
        assert await blobs.names("batch-1/specs")
        await asyncio.sleep(2)
        assert await blobs.names("batch-1") == ("batch-1/in/name",)
        await erasing.stop()
        blobs.close()

    run_virtually(story(), loop)


async def test_verify_finds_what_an_erasure_left_behind_and_gives_the_worker_a_minute(blobs: AsyncBlobs) -> None:
    """I7."""
    history = History()
    for one in (fact("job-1", created()), fact("job-1", JobErased(by="acme"))):
        history.observe(one)
    (job_id,) = history.jobs
    at = history.jobs[job_id].updated_at
    put(blobs, f"{job_id}/run-1/result.json", "job-other/run-1/result.json")
    assert await leftovers(history, blobs, at + timedelta(seconds=59)) == []
    (violation,) = await leftovers(history, blobs, at + timedelta(seconds=61))
    assert (violation.invariant, violation.subject) == ("I7", job_id)
    await blobs.delete_folder(job_id)
    assert await leftovers(history, blobs, at + timedelta(seconds=61)) == []


# --- losing runs --------------------------------------------------------------------------------------------------

DETAILS = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("status", "kept"), [(Status.COMPLETED, {"run-2"}), (Status.FAILED, set()), (Status.CANCELLED, set())]
)
def test_of_an_ended_job_only_the_run_that_counts_keeps_its_output(status: Status, kept: set[str]) -> None:
    job = replace(ENDED, status=status)
    runs = [f"job-1/{run}/{name}" for run in ("run-1", "run-2", "run-3") for name in ("result.json", "images/a.jpg")]
    always = ["job-1/in/abc", "job-1/cache/acme/k1", f"job-1/run-1/{DETAILS}", f"job-1/run-2/{DETAILS}"]
    lost = set(losing(job, [*runs, *always]))
    assert lost == {uri for uri in runs if uri.split("/")[1] not in kept}


@pytest.mark.parametrize(
    ("job", "tidied"),
    [
        (ENDED, True),
        (replace(ENDED, attempt=1, run="run-1"), False),
        (replace(ENDED, attempt=1, status=Status.FAILED), True),
        (replace(ENDED, attempt=0, run=None, status=Status.CANCELLED), False),
    ],
)
async def test_a_job_is_tidied_when_a_run_may_have_lost(
    blobs: AsyncBlobs, erasing: Erasing, job: Job, tidied: bool
) -> None:
    put(blobs, "job-1/lost/result.json", "job-2/run/result.json")
    erasing.eraser.tidy(job)
    erasing.eraser.erase("job-2", "acme")
    await erasing.gone("job-2")
    if tidied:
        await erasing.gone("job-1")
    else:
        assert await blobs.names("job-1")


# --- the sweep ----------------------------------------------------------------------------------------------------

AGES = Ages(upload=timedelta(days=7), cache=timedelta(days=30))
HOUR = timedelta(hours=1)


def backlog() -> Backlog:
    return Backlog(
        jobs={"job-open": ENDED},
        ended={"job-ended": BEGAN, "batch-done": BEGAN, "job-erased": BEGAN},
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
    known = Backlog() if forgotten else Backlog(ended={"job-1": BEGAN - since})
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
