"""Parameters that share a segment: erased where they lie, found when they stay."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from piperoll.domain.backlog import Backlog, Erasure
from piperoll.history import History
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, Blobs
from schemas.claims import Claim
from schemas.events import JobCreated, JobErased
from services.projector.verify.leftovers import job_leftovers
from tests.support.histories.jobs import BEGAN, created, fact
from tests.support.runs.erasing import eraser_over
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
    eraser, stopping = eraser_over(blobs, _gone), asyncio.Event()
    task = asyncio.create_task(eraser.run(stopping))
    eraser.erase(job_id, Backlog(erased={job_id: Erasure(BEGAN, "acme", claim.uri)}))
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


# --- verify ----------------------------------------------------------------------------------------------------------


async def test_parameters_that_can_still_be_read_after_an_erasure_are_a_violation(blobs: AsyncBlobs) -> None:
    claim = await give(blobs, "job-1", filename="/a")
    history = History()
    history.observe(fact("job-1", created().model_copy(update={"parameters": claim})))
    history.observe(fact("job-1", JobErased(by="acme")))
    later = history.jobs["job-1"].updated_at + timedelta(minutes=2)
    (violation,) = await job_leftovers(history, blobs, later)
    assert violation.invariant == "I7"
    assert claim.uri in violation.sentence
    await blobs.delete([claim.uri])
    assert await job_leftovers(history, blobs, later) == []
