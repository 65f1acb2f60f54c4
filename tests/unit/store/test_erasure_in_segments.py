"""Parameters that share a segment: erased where they lie, swept when no job refers to them, found when they stay."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from piperoll.domain.backlog import Backlog, Erasure
from piperoll.domain.ended_ids import EndedIds
from piperoll.history import History
from piperoll.settings import Settings
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, Blobs
from piperoll.store.segments import CLOSED_AFTER
from schemas.claims import Claim
from schemas.events import JobCreated, JobErased
from services.projector.verify.run import leftovers
from services.worker.cleanup.erasure import Eraser
from services.worker.cleanup.sweep import ORPHANED_AFTER, ORPHANED_BEFORE, Sweeper, of_line
from tests.support.histories.jobs import BEGAN, created, fact
from tests.support.waiting import wait_until


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[AsyncBlobs]:
    store = AsyncBlobs(Blobs(tmp_path.as_uri()))
    yield store
    store.close()


async def give(blobs: AsyncBlobs, job_id: str, **parameters: str) -> Claim:
    document = json.dumps({"job_type": "pdf", "parameters": parameters}).encode()
    return await blobs.put_input(job_id, document, repeatable=False)


async def readable(blobs: AsyncBlobs, claim: Claim) -> bool:
    try:
        return bool(await blobs.get(claim.uri))
    except BlobMissingError:
        return False


async def until_erased(blobs: AsyncBlobs, claim: Claim) -> None:
    async def erased() -> bool:
        return not await readable(blobs, claim)

    await wait_until(erased, 5, f"{claim.uri} to be erased")


async def _gone(job_id: str) -> None:
    """No child of this worker works on it."""


async def erase(blobs: AsyncBlobs, job_id: str, claim: Claim) -> None:
    eraser, stopping = Eraser(blobs, _gone), asyncio.Event()
    task = asyncio.create_task(eraser.run(stopping))
    eraser.erase(job_id, "acme", claim.uri)
    await until_erased(blobs, claim)
    stopping.set()
    await task


async def test_an_erased_job_s_parameters_go_and_its_neighbour_s_stay(blobs: AsyncBlobs) -> None:
    mine, other = await give(blobs, "job-1", filename="/a"), await give(blobs, "job-2", filename="/b")
    await erase(blobs, "job-1", mine)
    assert await readable(blobs, other)


async def test_the_upload_that_erased_parameters_name_goes_with_them(blobs: AsyncBlobs) -> None:
    claim = await give(blobs, "job-1", filename="upload://file-1/a.pdf")
    blobs.sync.put_named(f"{uploads.folder_of('acme', 'file-1')}/a.pdf", b"%PDF", "application/pdf")
    await blobs.mark(f"{uploads.uses_of('acme', 'file-1')}/job-1")
    await erase(blobs, "job-1", claim)
    assert not await blobs.names(uploads.FOLDER)


# --- what the backlog knows ------------------------------------------------------------------------------------------


def test_an_erasure_knows_where_the_parameters_lie_from_the_open_job() -> None:
    backlog = Backlog()
    creation = fact("job-1", created())
    backlog.fold_job(creation)
    backlog.fold_job(fact("job-1", JobErased(by="acme")))
    assert isinstance(creation.data, JobCreated)
    assert backlog.erased["job-1"].parameters == creation.data.parameters.uri


def test_the_eraser_has_the_location_for_a_forgotten_job() -> None:
    backlog, place = Backlog(), created().parameters
    backlog.fold_job(fact("job-1", JobErased(by="acme", parameters=place)))
    assert backlog.erased["job-1"].parameters == place.uri


def test_parameters_of_a_job_that_is_created_after_its_erasure_are_known_too() -> None:
    backlog = Backlog()
    backlog.fold_job(fact("job-1", JobErased(by="acme")))
    assert backlog.erased["job-1"].parameters is None
    backlog.fold_job(fact("job-1", created()))
    assert backlog.erased["job-1"].parameters == created().parameters.uri


# --- the sweep -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backlog", "age", "reason"),
    [
        (Backlog(), ORPHANED_AFTER + timedelta(hours=2), "orphaned"),
        (Backlog(), ORPHANED_AFTER, None),
        (Backlog(), ORPHANED_BEFORE + timedelta(seconds=1), None),
        (Backlog(ended=EndedIds({"job-1": BEGAN})), ORPHANED_AFTER + timedelta(hours=2), None),
        (Backlog(erased={"job-1": Erasure(BEGAN, "acme")}), timedelta(hours=3), "erased"),
        (None, ORPHANED_AFTER + timedelta(hours=2), None),
    ],
)
def test_a_document_is_swept_when_its_job_is_erased_or_was_never_in_the_log(
    backlog: Backlog | None, age: timedelta, reason: str | None
) -> None:
    assert of_line("job-1", age, backlog) == reason


async def sweep(tmp_path: Path, blobs: AsyncBlobs, known: Backlog, now: datetime, *until_gone: Claim) -> None:
    settings = Settings(blob_url=tmp_path.as_uri(), partitions=1, sweep_interval_s=0.01)
    sweeper = Sweeper(settings, blobs, lambda: now, lambda: {0: known}, Eraser(blobs, _gone))
    stopping = asyncio.Event()
    task = asyncio.create_task(sweeper.run(stopping))
    for claim in until_gone:
        await until_erased(blobs, claim)
    stopping.set()
    await task


async def test_a_sweep_removes_unreferenced_parameters_and_leaves_the_rest_of_a_segment(
    tmp_path: Path, blobs: AsyncBlobs
) -> None:
    ended, lost = await give(blobs, "job-ended", filename="/a"), await give(blobs, "job-lost", filename="/b")
    now = datetime.now(BEGAN.tzinfo) + timedelta(hours=10)
    await sweep(tmp_path, blobs, Backlog(ended=EndedIds({"job-ended": now})), now, lost)
    assert await readable(blobs, ended)


async def test_an_empty_segment_is_deleted_once_its_writer_is_gone(tmp_path: Path, blobs: AsyncBlobs) -> None:
    claim = await give(blobs, "job-1", filename="/a")
    segment = tmp_path / claim.uri.partition("#")[0]
    known = Backlog(erased={"job-1": Erasure(BEGAN, "acme")})
    await sweep(tmp_path, blobs, known, datetime.now(BEGAN.tzinfo) + CLOSED_AFTER + timedelta(minutes=1), claim)
    await wait_until(lambda: not segment.exists(), 5, "the empty segment to be deleted")


# --- verify ----------------------------------------------------------------------------------------------------------


async def test_parameters_that_can_still_be_read_after_an_erasure_are_a_violation(blobs: AsyncBlobs) -> None:
    claim = await give(blobs, "job-1", filename="/a")
    history = History()
    history.observe(fact("job-1", created().model_copy(update={"parameters": claim})))
    history.observe(fact("job-1", JobErased(by="acme")))
    later = history.jobs["job-1"].updated_at + timedelta(minutes=2)
    (violation,) = await leftovers(history, blobs, later)
    assert violation.invariant == "I7"
    assert claim.uri in violation.sentence
    await blobs.delete([claim.uri])
    assert await leftovers(history, blobs, later) == []
