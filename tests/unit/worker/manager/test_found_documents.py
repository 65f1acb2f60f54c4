"""The documents that a run found become facts, in order."""

import json

import pytest

from piperoll.clock import utc_now
from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from schemas.claims import Claim
from schemas.documents import DocumentDetails, Findings, LostDocument
from schemas.errors import ErrorCode
from schemas.events import DocumentAdded, DocumentRemoved, FolderMembersChanged, JobCreated, JobErased
from schemas.ids import event_id, intake_job_id
from schemas.topics import DOCUMENT_EVENTS, JOB_EVENTS
from services.worker.children.protocol import Completed, Failed
from services.worker.manager import chunks
from services.worker.manager import found_documents as findings_module
from services.worker.manager.found_documents import FindingsAppender
from tests.support.histories.jobs import claim
from tests.support.runs.erasing import Erasing
from tests.support.runs.findings import JOB, FaultyLog, append, store


async def test_a_document_found_is_added_and_a_job_reads_it(log: FaultyLog, blobs: AsyncBlobs) -> None:
    one = await store(blobs, 1)
    outcome = await append(log, blobs, Findings(folder_id="folder-1", found=(one,)))
    assert isinstance(outcome, Completed)
    added, members = sorted(await log.facts(DOCUMENT_EVENTS), key=lambda fact: fact.subject)
    assert isinstance(added.data, DocumentAdded)
    assert (added.subject, added.owner, added.source) == ("doc-1", "acme", "worker")
    assert (added.data.content, added.data.revision, added.data.user_id) == (one.content, "r1", "u-1")
    assert added.data.job_id == "job-1"
    details = DocumentDetails.model_validate_json(await blobs.get(added.data.details.uri))
    assert (details.name, details.source) == ("1.txt", "file:///in/1.txt")
    assert isinstance(members.data, FolderMembersChanged)
    assert (members.subject, members.data.added, members.data.removed) == ("folder-1", ("doc-1",), ())
    (intake,) = await log.facts(JOB_EVENTS)
    assert isinstance(intake.data, JobCreated)
    assert (intake.subject, intake.owner) == (intake_job_id("doc-1", "r1"), "acme")
    assert (intake.data.job_type, intake.data.target_id, intake.data.priority) == ("extraction", "doc-1", 7)
    given = json.loads(await blobs.get(intake.data.parameters.uri))
    assert given["parameters"] == {"document_id": "doc-1"}
    assert given["resolved"]["content"]["uri"] == one.content.uri


@pytest.mark.parametrize("changed", [{"name": ""}, {"name": "x" * 501}])
async def test_findings_of_which_no_facts_can_be_made_end_their_job_and_not_the_worker(
    log: FaultyLog, blobs: AsyncBlobs, changed: dict[str, str]
) -> None:
    one = (await store(blobs, 1)).model_copy(update=changed)
    outcome = await append(log, blobs, Findings(found=(one, await store(blobs, 2))))
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable, outcome.own_fault) == (ErrorCode.PROCESSING_ERROR, False, False)


@pytest.mark.parametrize(("media_type", "job_type"), [("audio/mpeg", "transcription"), ("video/mp4", "transcription")])
async def test_what_sounds_is_transcribed(log: FaultyLog, blobs: AsyncBlobs, media_type: str, job_type: str) -> None:
    await append(log, blobs, Findings(found=(await store(blobs, 1, media_type=media_type),)))
    (intake,) = await log.facts(JOB_EVENTS)
    assert isinstance(intake.data, JobCreated)
    assert intake.data.job_type == job_type
    assert len(await log.facts(DOCUMENT_EVENTS)) == 1  # no folder was named


async def test_equal_files_wait_for_each_other_and_others_do_not(log: FaultyLog, blobs: AsyncBlobs) -> None:
    """The second takes the result of the first from the cache, instead of both being read side by side."""
    equal = [await store(blobs, number) for number in (1, 2)]
    other = await store(blobs, 3)
    other = other.model_copy(update={"content": Claim(uri="other", sha256="1" * 64, size=1, media_type="text/plain")})
    await append(log, blobs, Findings(found=(*equal, other)))
    works = {
        fact.data.target_id: fact.data.work_sha256
        for fact in await log.facts(JOB_EVENTS)
        if isinstance(fact.data, JobCreated)
    }
    assert works["doc-1"] == works["doc-2"] != works["doc-3"]


async def test_many_documents_come_into_the_folder_in_bounded_facts(
    log: FaultyLog, blobs: AsyncBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings_module, "MEMBERS", 3)
    monkeypatch.setattr(chunks, "CHUNK", 2)
    all_found = tuple([await store(blobs, number) for number in range(7)])
    await append(log, blobs, Findings(folder_id="folder-1", found=all_found))
    facts = await log.facts(DOCUMENT_EVENTS)
    members = [fact.data.added for fact in facts if isinstance(fact.data, FolderMembersChanged)]
    assert [len(some) for some in members] == [3, 3, 1]
    assert [name for some in members for name in some] == [one.document_id for one in all_found]
    assert len({fact.id for fact in facts}) == len(facts)


async def test_a_run_that_found_nothing_appends_nothing(log: FaultyLog, blobs: AsyncBlobs) -> None:
    plain = Completed(result=claim("result"), assets=0, duration_ms=5)
    assert await FindingsAppender(log, blobs, utc_now).append(JOB, plain) is plain
    failed = Failed(
        code=ErrorCode.FILE_NOT_FOUND, message="No.", error_type="ProcessingError", retryable=False, duration_ms=1
    )
    assert await FindingsAppender(log, blobs, utc_now).append(JOB, failed) is failed
    assert await log.facts(DOCUMENT_EVENTS) == []


async def test_a_lost_document_is_removed_with_its_texts_and_its_content(log: FaultyLog, blobs: AsyncBlobs) -> None:
    await append(log, blobs, Findings(found=(await store(blobs, 1), await store(blobs, 2))))
    before = len(await log.facts(JOB_EVENTS))
    await append(
        log, blobs, Findings(folder_id="folder-1", lost=(LostDocument(document_id="doc-1", jobs=("j-1", "j-2")),))
    )
    (removed,) = [fact for fact in await log.facts(DOCUMENT_EVENTS) if isinstance(fact.data, DocumentRemoved)]
    assert (removed.subject, removed.owner) == ("doc-1", "acme")
    erased = [fact for fact in await log.facts(JOB_EVENTS) if isinstance(fact.data, JobErased)]
    assert sorted(fact.subject for fact in erased) == ["j-1", "j-2"]
    assert len(await log.facts(JOB_EVENTS)) == before + 2
    assert {fact.id for fact in erased} == {event_id("j-1", "JobErased"), event_id("j-2", "JobErased")}
    assert await blobs.names("documents/doc-1") == ()
    assert len(await blobs.names("documents/doc-2")) == 2
    assert await blobs.names(documents.REMOVED) == (documents.removal_of("doc-1"),)


async def test_the_parameters_of_a_lost_document_s_jobs_are_erased_where_they_are_stored(
    log: FaultyLog, blobs: AsyncBlobs
) -> None:
    """A job that only names the document as its target has them in a segment, and its worker may have forgotten it."""
    given = await blobs.put_input("job-2", b'{"parameters": {"filename": "/secret.pdf"}}', repeatable=False)
    assert given.uri.startswith("segments/")
    lost = LostDocument(document_id="doc-1", jobs=("job-2",), parameters={"job-2": given})
    await append(log, blobs, Findings(lost=(lost,)))
    (erased,) = await log.facts(JOB_EVENTS)
    erasing = Erasing(blobs)
    erasing.backlog.fold_job(erased)
    erasing.eraser.erase("job-2", erasing.backlog)
    await erasing.done("job-2")
    with pytest.raises(BlobMissingError):
        await blobs.get(given.uri)
    await erasing.stop()


async def test_a_document_that_was_removed_during_the_run_is_not_added_again(log: FaultyLog, blobs: AsyncBlobs) -> None:
    found = [await store(blobs, number) for number in (1, 2)]
    await documents.delete_content(blobs, "doc-1")  # its owner removed it after the run had copied it
    await append(log, blobs, Findings(folder_id="folder-1", found=tuple(found)))
    added = [fact.subject for fact in await log.facts(DOCUMENT_EVENTS) if isinstance(fact.data, DocumentAdded)]
    assert added == ["doc-2"]
    (intake,) = await log.facts(JOB_EVENTS)
    assert await documents.jobs_about(blobs, "doc-2") == [intake.subject]
    assert await blobs.names("documents/doc-1") == ()
    assert await blobs.names(intake_job_id("doc-1", "r1")) == ()


async def test_the_job_of_a_document_that_is_removed_before_the_job_is_created_is_erased(
    log: FaultyLog, blobs: AsyncBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The removal saw no note of the job."""
    found, discarded = await store(blobs, 1), documents.discarded

    async def removed_right_after(blobs: AsyncBlobs, subject: str) -> bool:
        before = await discarded(blobs, subject)
        await documents.delete_content(blobs, subject)
        return before

    monkeypatch.setattr(documents, "discarded", removed_right_after)
    await append(log, blobs, Findings(found=(found,)))
    kinds = [type(fact.data) for fact in await log.facts(JOB_EVENTS)]
    assert kinds == [JobCreated, JobErased]
