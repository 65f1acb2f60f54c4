"""The erasure of jobs: what is deleted, and that entries and uploads of others stay."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from piperoll.history import History
from piperoll.store import document_paths as documents
from piperoll.store import targets, uploads
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.events import JobErased
from services.projector.verify.leftovers import job_leftovers
from services.worker.cleanup.erasure import SPECS_GRACE_S
from tests.support.files.indexes import put_part
from tests.support.histories.jobs import created, fact
from tests.support.hostile.values import NO_UPLOADS
from tests.support.runs.erasing import Erasing, cache_entry, put
from tests.support.simulation.virtual_time import VirtualLoop, run_virtually
from tests.support.waiting import wait_until


def give(blobs: AsyncBlobs, job_id: str, **parameters: object) -> None:
    """A job's parameters, as the API stores them."""
    blobs.sync.put(f"{job_id}/in", json.dumps({"job_type": "pdf", "parameters": parameters}).encode())


async def test_everything_of_an_erased_job_goes_and_nothing_of_another(
    tmp_path: Path, blobs: AsyncBlobs, erasing: Erasing
) -> None:
    give(blobs, "job-1", filename="/in/a.pdf")
    put(blobs, "job-1/run-1/result.json", "job-1/run-1/images/page_001.jpg", "job-10/run-1/result.json")
    put(blobs, "job-1/pages/0f/run-1-00000.json")
    erasing.erase("job-1")
    await erasing.gone("job-1")
    assert await blobs.names("job-10") == ("job-10/run-1/result.json",)
    await wait_until(lambda: not (tmp_path / "job-1").exists(), 5, "not even its folders to be left")


async def test_nothing_is_deleted_before_the_child_has_exited(blobs: AsyncBlobs, erasing: Erasing) -> None:
    put(blobs, "job-1/run-1/result.json", "job-2/run-1/result.json")
    erasing.exits["job-1"] = asyncio.Event()
    erasing.erase("job-1")
    erasing.erase("job-2")
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
    erasing.erase("job-1")
    await erasing.gone("job-1")
    assert len(await blobs.names("cache")) == left


async def test_the_marks_of_an_index_go_with_it_and_with_a_run_that_lost(blobs: AsyncBlobs, erasing: Erasing) -> None:
    for job_id, run in (("job-1", "a"), ("job-2", "a"), ("job-2", "b")):
        put_part(blobs.sync, job_id, run, "doc-1", [("Text", (1.0,))])
    erasing.erase("job-1")
    await erasing.gone("job-1")
    erasing.eraser.tidy("job-2", frozenset({"a"}), lambda: None)
    await erasing.gone("job-2/a")
    assert await blobs.names("documents") == ("documents/doc-1/indexes/job-2_b",)


async def test_the_mark_of_a_job_about_a_document_goes_with_it(blobs: AsyncBlobs, erasing: Erasing) -> None:
    for job_id in ("job-1", "job-2"):
        await documents.note_job(blobs, "doc-1", job_id)
    about = {"parameters": {}, "resolved": {"kind": "document", "document_id": "doc-1"}}
    blobs.sync.put("job-1/in", json.dumps(about).encode())
    erasing.erase("job-1")
    await erasing.done("job-1")
    assert await documents.jobs_about(blobs, "doc-1") == ["job-2"]


async def test_the_mark_of_a_job_with_a_target_goes_with_it(blobs: AsyncBlobs, erasing: Erasing) -> None:
    target = f"doc-{UUID(int=1)}"
    for job_id in ("job-1", "job-2"):
        await targets.note(blobs, "acme", job_id, target)
    give(blobs, "job-1", target_id=target)
    erasing.erase("job-1")
    await erasing.done("job-1")
    assert await targets.jobs_with(blobs, "acme", target) == ["job-2"]


async def test_an_upload_goes_with_the_last_job_that_was_given_it(blobs: AsyncBlobs, erasing: Erasing) -> None:
    put(blobs, "uploads/acme/file-1/a.pdf", "uploads/acme/file-2/b.pdf")
    for job_id in ("job-1", "job-2"):
        given = {"filename": "upload://file-1/a.pdf"}
        give(blobs, job_id, **given)
        for use in uploads.uses_by("acme", job_id, given):
            await blobs.mark(use)
        await erasing.created(job_id)
    erasing.erase("job-1")
    await erasing.gone("job-1")
    assert await blobs.names("uploads/acme/file-1")
    erasing.erase("job-2")
    await erasing.gone("job-2")
    assert await blobs.names("uploads/acme/file-1") == ()
    assert await blobs.names("uses") == ()
    assert await blobs.names("uploads/acme/file-2")


@pytest.mark.parametrize("name", NO_UPLOADS, ids=ascii)
async def test_a_name_in_the_log_that_is_no_upload_holds_up_no_erasure(
    blobs: AsyncBlobs, erasing: Erasing, name: str
) -> None:
    """Earlier releases accepted such names."""
    put(blobs, "uploads/acme/file-1/a.pdf", "uses/acme/file-1/job-2", "job-1/run-1/result.json")
    kept = {*await blobs.names("uploads"), *await blobs.names("uses")}
    give(blobs, "job-1", filename=name, items=[{"filename": name}])
    erasing.erase("job-1")
    await erasing.gone("job-1")
    await erasing.done("job-1")
    assert {*await blobs.names("uploads"), *await blobs.names("uses")} == kept


async def test_all_uploads_of_an_import_go_with_it(blobs: AsyncBlobs, erasing: Erasing) -> None:
    put(blobs, "uploads/acme/file-1/a.pdf", "uploads/acme/file-2/b.pdf", "uploads/acme/file-3/c.pdf")
    items = [{"filename": f"upload://file-{number}/x.pdf"} for number in (1, 2, 1)]
    given = {"items": [*items, {"url": "https://example.com"}, {"filename": "/in/a.pdf"}]}
    give(blobs, "job-1", **given)
    uses = uploads.uses_by("acme", "job-1", given)
    assert uses == ("uses/acme/file-1/job-1", "uses/acme/file-2/job-1")
    for use in (*uses, "uses/acme/file-2/job-2"):
        await blobs.mark(use)
    await erasing.created("job-2")
    erasing.erase("job-1")
    await erasing.gone("job-1")
    assert await blobs.names("uploads/acme/file-1") == ()
    assert await blobs.names("uploads/acme/file-2")  # another job reads it
    assert await blobs.names("uploads/acme/file-3")


async def test_a_batch_whose_name_and_specs_lie_outside_its_parameters_is_erased_too(
    blobs: AsyncBlobs, erasing: Erasing
) -> None:
    for content in (b'"A name"', b'[{"job_type": "pdf"}]', b"\xff", b"{}"):
        blobs.sync.put("batch-1/in", content)
    erasing.erase("batch-1")
    await erasing.gone("batch-1")


def test_the_specs_of_an_expanded_batch_go_after_a_grace() -> None:
    loop = VirtualLoop()

    async def story() -> None:
        blobs = AsyncBlobs(Blobs("memory:///"))
        put(blobs, "batch-1/specs/s", "batch-1/in/name")
        erasing = Erasing(blobs)
        erasing.eraser.drop_specs("batch-1", "acme")
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
    assert await job_leftovers(history, blobs, at + timedelta(seconds=59)) == []
    (violation,) = await job_leftovers(history, blobs, at + timedelta(seconds=61))
    assert (violation.invariant, violation.subject) == ("I7", job_id)
    await blobs.delete_folder(job_id)
    assert await job_leftovers(history, blobs, at + timedelta(seconds=61)) == []
