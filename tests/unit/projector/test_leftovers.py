"""I7: `piperoll verify` finds what an erasure or a removal left behind, of every kind."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from piperoll.history import History, Violation
from piperoll.log.record import Position, partition_of
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.events import BatchErased, DocumentRemoved, Event, FolderRemoved, JobErased
from services.projector.verify.document_comparison import DocumentHistory
from services.projector.verify.leftovers import (
    ERASURE_GRACE,
    UPLOAD_GRACE,
    job_leftovers,
    removal_leftovers,
    upload_marks,
)
from tests.support.files.timed_blobs import TimedBlobs
from tests.support.histories.documents import added, made
from tests.support.histories.jobs import BEGAN, created, fact
from tests.support.histories.lives import BATCH
from tests.support.runs.erasing import Erasing, put
from tests.support.simulation.virtual_time import VirtualLoop, run_virtually

MOMENT = timedelta(seconds=1)
LATER = BEGAN + ERASURE_GRACE + timedelta(minutes=1)


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[AsyncBlobs]:
    store = AsyncBlobs(Blobs(tmp_path.as_uri()))
    yield store
    store.close()


def about(found: list[Violation]) -> set[str]:
    assert {one.invariant for one in found} <= {"I7"}
    return {one.subject for one in found}


async def test_blobs_of_an_erased_batch_are_found(blobs: AsyncBlobs) -> None:
    history = History()
    for one in (fact("batch-1", BATCH), fact("batch-1", BatchErased(by="acme"), 1), fact("batch-2", BATCH)):
        history.observe(one)
    put(blobs, "batch-1/in/name", "batch-2/in/name")
    assert await job_leftovers(history, blobs, BEGAN + MOMENT) == []
    assert about(await job_leftovers(history, blobs, LATER)) == {"batch-1"}
    await blobs.delete_folder("batch-1")
    assert await job_leftovers(history, blobs, LATER) == []


async def test_page_checkpoints_of_an_erased_job_are_found(blobs: AsyncBlobs) -> None:
    history = History()
    for one in (fact("job-1", created()), fact("job-1", JobErased(by="acme"), 1), fact("job-2", created())):
        history.observe(one)
    put(blobs, "job-1/pages/0f/run-1-00000.json", "job-2/pages/0f/run-1-00000.json")
    assert about(await job_leftovers(history, blobs, LATER)) == {"job-1"}


async def test_an_upload_that_only_an_erased_job_uses_is_found(blobs: AsyncBlobs) -> None:
    history = History()
    for one in (fact("job-1", created()), fact("job-1", JobErased(by="acme"), 1), fact("job-2", created())):
        history.observe(one)
    put(blobs, "uses/acme/file-1/job-1", "uses/acme/file-2/job-2")
    marks = await upload_marks(blobs, partitions=3)
    assert {job_id for one in marks.values() for job_id in one} == {"job-1", "job-2"}
    mine = marks[partition_of("job-1", 3)]
    (violation,) = await job_leftovers(history, blobs, BEGAN + UPLOAD_GRACE + 2 * MOMENT, mine)
    assert (violation.subject, "uses/acme/file-1/job-1" in violation.sentence) == ("job-1", True)


@pytest.mark.parametrize(
    ("facts", "left"),
    [
        ([("doc-1", added()), ("doc-1", DocumentRemoved(by="acme"))], "documents/doc-1/content"),
        ([("doc-1", added()), ("doc-1", DocumentRemoved(by="acme"))], "documents/doc-1/details/name"),
        ([("doc-1", DocumentRemoved(by="acme")), ("doc-1", added())], "documents/doc-1/content"),
        ([("folder-1", made()), ("folder-1", FolderRemoved(by="acme"))], "folders/folder-1/details/name"),
    ],
)
async def test_blobs_of_a_removed_document_or_folder_are_found(
    blobs: AsyncBlobs, facts: list[tuple[str, Event]], left: str
) -> None:
    history = DocumentHistory(partitions=1)
    for number, (subject, event) in enumerate([*facts, ("doc-2", added())]):
        history.observe(fact(subject, event, number), Position(0, number))
    put(blobs, left, "documents/doc-2/content")
    assert await removal_leftovers(history, blobs, BEGAN + MOMENT) == []
    assert about(await removal_leftovers(history, blobs, LATER)) == {facts[0][0]}
    await blobs.delete([left])
    assert await removal_leftovers(history, blobs, LATER) == []


GIVEN = {"filename": "upload://file-1/a.pdf"}


async def use_upload(blobs: AsyncBlobs, job_id: str) -> None:
    """What a POST writes before the job's creation."""
    await blobs.put(f"{job_id}/in", json.dumps({"parameters": GIVEN}).encode())
    for mark in uploads.uses_by("acme", job_id, GIVEN):
        await blobs.mark(mark)


async def found_now(history: History, blobs: AsyncBlobs, seconds: float) -> set[str]:
    marks = (await upload_marks(blobs, partitions=1)).get(0, {})
    return about(await job_leftovers(history, blobs, BEGAN + timedelta(seconds=seconds), marks))


def test_an_erasure_that_waits_for_the_append_of_another_request_is_not_a_violation() -> None:
    history = History()
    for one in (fact("job-1", created()), fact("job-1", JobErased(by="acme"))):
        history.observe(one)

    async def story() -> None:
        blobs = AsyncBlobs(TimedBlobs(loop.clock))
        for job_id in ("job-1", "job-never"):
            await use_upload(blobs, job_id)
        erasing = Erasing(blobs)
        erasing.erase("job-1")
        began = loop.time()
        while not erasing.backlog.erased["job-1"].done:
            assert await found_now(history, blobs, loop.time() - began) == set()
            await asyncio.sleep(5)
        assert loop.time() - began >= uploads.ARRIVAL_S, "the erasure had to wait"
        assert await blobs.names("job-1") == ()
        await erasing.stop()
        blobs.close()

    loop = VirtualLoop()
    run_virtually(story(), loop)


async def test_an_erasure_that_waits_longer_than_for_the_other_request_is_a_violation(blobs: AsyncBlobs) -> None:
    history = History()
    for one in (fact("job-1", created()), fact("job-1", JobErased(by="acme"))):
        history.observe(one)
    await use_upload(blobs, "job-1")
    end = (UPLOAD_GRACE + MOMENT).total_seconds()
    assert await found_now(history, blobs, end) == {"job-1"}


async def test_results_are_found_while_the_erasure_waits_for_another_request(blobs: AsyncBlobs) -> None:
    history = History()
    for one in (fact("job-1", created()), fact("job-1", JobErased(by="acme"))):
        history.observe(one)
    await use_upload(blobs, "job-1")
    minute = (ERASURE_GRACE + MOMENT).total_seconds()
    assert await found_now(history, blobs, minute) == set()
    put(blobs, "job-1/run-1/result.json")
    assert await found_now(history, blobs, minute) == {"job-1"}


async def test_parameters_without_a_marker_wait_for_nothing(blobs: AsyncBlobs) -> None:
    history = History()
    for one in (fact("job-1", created()), fact("job-1", JobErased(by="acme"))):
        history.observe(one)
    await blobs.put("job-1/in", json.dumps({"parameters": GIVEN}).encode())
    assert await found_now(history, blobs, (ERASURE_GRACE + MOMENT).total_seconds()) == {"job-1"}
