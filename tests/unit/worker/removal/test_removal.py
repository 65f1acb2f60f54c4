"""What a removal deletes, whoever wrote it, and when."""

import asyncio

import pytest

from piperoll.log.contract import AppendError
from piperoll.log.record import Position
from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs, BlobStoreError
from schemas.envelope import Fact
from schemas.events import DocumentRemoved, FolderChanged, FolderCreated, FolderRemoved, JobErased
from schemas.topics import Topic
from services.worker.removal import remover
from tests.support.files.indexes import put_part
from tests.support.runs.removing import OWNER, Removing, store_document, store_folder
from tests.support.waiting import wait_until

REMOVED = DocumentRemoved(by=OWNER)


async def test_a_removal_deletes_the_content_that_its_writer_left(removing: Removing, blobs: AsyncBlobs) -> None:
    """As when the API dies between the fact and the deletion."""
    added, other = await store_document(blobs, "doc-1"), await store_document(blobs, "doc-2")
    await removing.start()
    await removing.append("doc-2", other)
    await removing.append("doc-1", added)
    await removing.append("doc-1", REMOVED, 1)
    await removing.gone("doc-1")
    assert len(await blobs.names("documents/doc-2")) == 2


async def test_what_is_stored_after_a_removal_is_deleted_again_after_any_time(
    removing: Removing, blobs: AsyncBlobs
) -> None:
    await removing.start()
    await removing.append("doc-1", await store_document(blobs, "doc-1"))
    await removing.append("doc-1", REMOVED, 1)
    await removing.settled()
    await removing.restart()  # so that only the blob store remembers the removal
    assert removing.reader.due == 0
    await removing.append("doc-1", await store_document(blobs, "doc-1", b"again"), 2)
    await removing.gone("doc-1")


async def test_a_document_that_was_not_removed_keeps_each_revision(removing: Removing, blobs: AsyncBlobs) -> None:
    await removing.start()
    for number in range(3):
        await removing.append("doc-1", await store_document(blobs, "doc-1", b"%d" % number), number)
    await removing.append("doc-2", await store_document(blobs, "doc-2"))
    await removing.append("doc-2", REMOVED, 1)
    await removing.settled()
    assert not await blobs.names("documents/doc-2")
    assert len(await blobs.names("documents/doc-1")) == 4


async def test_a_removed_folder_loses_its_details_and_a_late_change_too(removing: Removing, blobs: AsyncBlobs) -> None:
    created = FolderCreated(details=await store_folder(blobs, "folder-1"))
    await removing.start()
    await removing.append("folder-1", created)
    await removing.append("folder-1", FolderRemoved(by=OWNER), 1)
    await removing.settled()
    await removing.restart()
    changed = FolderChanged(by=OWNER, details=await store_folder(blobs, "folder-1", b'{"name": "B"}'))
    await removing.append("folder-1", changed, 2)
    await removing.gone("folder-1")


@pytest.mark.parametrize(("subject", "removed"), [("doc-1", REMOVED), ("folder-1", FolderRemoved(by=OWNER))])
async def test_the_jobs_about_what_was_removed_are_erased(
    removing: Removing, blobs: AsyncBlobs, subject: str, removed: DocumentRemoved | FolderRemoved
) -> None:
    for job_id in ("job-1", "job-2"):
        assert not await documents.note_job(blobs, subject, job_id)
    await documents.note_job(blobs, "doc-other", "job-3")
    await removing.start()
    await removing.append(subject, removed)

    async def erased() -> bool:
        return sorted(await removing.erased()) == ["job-1", "job-2"]

    await wait_until(erased, 5, "both jobs to be erased")
    await removing.settled()
    assert await documents.jobs_about(blobs, "doc-other") == ["job-3"]
    assert await documents.note_job(blobs, subject, "job-late"), "a later writer sees the removal"


async def test_a_removal_goes_on_after_the_jobs_that_it_erased(
    removing: Removing, blobs: AsyncBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few at a time, each once, although Kafka does not acknowledge one of them."""
    monkeypatch.setattr(remover, "AT_ONCE", 2)
    jobs = [f"job-{number}" for number in range(5)]
    for job_id in jobs:
        await documents.note_job(blobs, "doc-1", job_id)
    real, refused, running = removing.log.append, ["job-2"], 0

    async def append(topic: Topic, fact: Fact, deadline_s: float | None = None) -> Position:
        nonlocal running
        if isinstance(fact.data, JobErased):
            running += 1
            assert running <= remover.AT_ONCE
            await asyncio.sleep(0)
            running -= 1
            if fact.subject in refused:
                refused.clear()
                raise AppendError("not acknowledged")
        return await real(topic, fact, deadline_s)

    monkeypatch.setattr(removing.log, "append", append)
    await removing.start()
    await removing.append("doc-1", REMOVED)
    await wait_until(lambda: not refused, 5, "one append to fail")
    await removing.restart()
    await removing.settled()
    assert sorted(await removing.erased()) == jobs
    assert await blobs.names(documents.ABOUT) == ()


async def test_the_chunks_of_a_removed_document_go_from_every_index(removing: Removing, blobs: AsyncBlobs) -> None:
    for document_id in ("doc-1", "doc-2"):
        put_part(blobs.sync, "job-1", "run-1", document_id, [("Text", (1.0,))])
    await removing.start()
    await removing.append("doc-1", REMOVED)
    await removing.gone("doc-1")
    assert await blobs.names("job-1") == ("job-1/run-1/index/doc-2",)


async def test_a_removal_outlasts_a_store_that_refuses_a_crash_and_a_restart(
    removing: Removing, blobs: AsyncBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    added, other = await store_document(blobs, "doc-1"), await store_document(blobs, "doc-2")
    await removing.start()
    real = blobs.delete_folder

    async def refuses(folder: str) -> int:
        if folder == "documents/doc-1":
            raise BlobStoreError("permission denied")
        return await real(folder)

    with monkeypatch.context() as patched:
        patched.setattr(blobs, "delete_folder", refuses)
        for subject, fact in (("doc-1", added), ("doc-2", other)):
            await removing.append(subject, fact)
            await removing.append(subject, REMOVED, 1)
        await removing.gone("doc-2")
        await removing.restart()
        assert await blobs.names("documents/doc-1")
    await removing.restart()
    await removing.gone("doc-1")


async def test_without_a_checkpoint_the_whole_history_is_carried_out_again(
    removing: Removing, blobs: AsyncBlobs
) -> None:
    await removing.append("doc-1", await store_document(blobs, "doc-1"))
    await removing.append("doc-1", REMOVED, 1)
    await removing.start()
    await removing.gone("doc-1")
    await store_document(blobs, "doc-1")
    await blobs.delete_folder("checkpoints")
    removing.log._subscriptions.clear()  # a crash: the reader writes nothing more
    await removing.stop()
    removing._begin()
    await removing.start()
    await removing.gone("doc-1")
