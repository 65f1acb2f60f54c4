"""What a run found becomes facts: in order, the same again when it is repeated, and none lost when it fails."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from piperoll.clock import utc_now
from piperoll.domain import document as document_fold
from piperoll.domain.backlog import Backlog
from piperoll.domain.job import Job
from piperoll.log.contract import AppendError
from piperoll.log.memory import MemoryLog
from piperoll.log.record import Position
from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs, BlobEntry, Blobs
from schemas.claims import Claim
from schemas.documents import DocumentDetails, Findings, FoundDocument, LostDocument
from schemas.envelope import Fact
from schemas.errors import ErrorCode
from schemas.events import DocumentAdded, DocumentRemoved, FolderMembersChanged, JobCreated, JobErased
from schemas.ids import event_id, intake_job_id
from schemas.topics import DOCUMENT_EVENTS, JOB_EVENTS, Topic
from services.worker.children.protocol import Completed, Failed, Outcome
from services.worker.cleanup.sweep import Ages, condemned
from services.worker.manager import found_documents as findings_module
from services.worker.manager.found_documents import FindingsAppender
from tests.support.histories.jobs import BEGAN, claim, created
from tests.support.histories.lives import folded

JOB = replace(folded(created()), job_id="job-1", owner="acme", user_id="u-1", priority=7)


class CrashedError(Exception):
    """The worker is gone."""


class FaultyLog(MemoryLog):
    """A log that crashes the worker after so many facts."""

    left: int | None = None

    async def append(self, topic: Topic, fact: Fact, deadline_s: float | None = None) -> Position:
        if self.left == 0:
            raise CrashedError
        if self.left is not None:
            self.left -= 1
        return await super().append(topic, fact, deadline_s)

    async def facts(self, topic: Topic) -> list[Fact]:
        begin = await self.begin_offsets(topic)
        return [record.fact() for record in await self.read_range(topic, begin, await self.end_offsets(topic))]


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[AsyncBlobs]:
    store = AsyncBlobs(Blobs((tmp_path / "blobs").as_uri()))
    yield store
    store.close()


@pytest.fixture
def log() -> FaultyLog:
    return FaultyLog(partitions=3)


async def store(blobs: AsyncBlobs, number: int, revision: str = "r1", media_type: str = "text/plain") -> FoundDocument:
    """A document whose content the run has stored."""
    document_id = f"doc-{number}"
    content = await blobs.put(documents.folder_of(document_id), b"content", media_type)
    return FoundDocument(
        document_id=document_id,
        name=f"{number}.txt",
        source=f"file:///in/{number}.txt",
        revision=revision,
        content=content,
    )


async def outcome_of(blobs: AsyncBlobs, findings: Findings) -> Completed:
    kept = await blobs.put("job-1/run-1", findings.model_dump_json().encode())
    return Completed(result=claim("result"), assets=0, duration_ms=5, findings=kept)


async def append(log: MemoryLog, blobs: AsyncBlobs, findings: Findings, job: Job = JOB) -> Outcome:
    return await FindingsAppender(log, blobs, utc_now).append(job, await outcome_of(blobs, findings))


# --- what is found ------------------------------------------------------------------------------------------------


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
    monkeypatch.setattr(findings_module, "CHUNK", 2)
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


# --- what is lost -------------------------------------------------------------------------------------------------


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


# --- repeats and crashes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crash_after", range(12))
async def test_a_run_repeated_after_a_crash_anywhere_appends_the_same(
    log: FaultyLog, blobs: AsyncBlobs, crash_after: int
) -> None:
    findings = Findings(
        folder_id="folder-1",
        found=tuple([await store(blobs, number) for number in range(4)]),
        lost=(LostDocument(document_id="doc-9", jobs=("j-1",)),),
    )
    log.left = crash_after
    try:
        await append(log, blobs, findings)
    except CrashedError:
        assert crash_after < 11
    log.left = None
    await append(log, blobs, findings)
    facts = [*await log.facts(DOCUMENT_EVENTS), *await log.facts(JOB_EVENTS)]
    facts_by_id: dict[str, object] = {}
    for fact in facts:
        assert facts_by_id.setdefault(fact.id, fact.data) == fact.data
    assert len(facts_by_id) == 4 * 2 + 1 + 2
    states: dict[str, document_fold.Document | None] = {}
    for fact in facts:
        if fact.subject.startswith("doc-"):
            states[fact.subject] = document_fold.evolve(states.get(fact.subject), fact)
    assert sum(one is not None and one.added and not one.removed for one in states.values()) == 4


async def test_another_content_of_a_document_is_another_fact_and_another_job(log: FaultyLog, blobs: AsyncBlobs) -> None:
    for revision in ("r1", "r2"):
        await append(log, blobs, Findings(folder_id="folder-1", found=(await store(blobs, 1, revision),)))
    facts = await log.facts(DOCUMENT_EVENTS)
    assert len({fact.id for fact in facts if isinstance(fact.data, DocumentAdded)}) == 2
    assert len({fact.subject for fact in await log.facts(JOB_EVENTS)}) == 2


@pytest.mark.parametrize("missing", ["findings", "documents"])
async def test_a_blob_store_that_fails_ends_the_run_in_a_way_that_may_pass(
    log: FaultyLog, blobs: AsyncBlobs, tmp_path: Path, missing: str
) -> None:
    one = await store(blobs, 1)
    outcome = await outcome_of(blobs, Findings(found=(one,)))
    if missing == "findings":
        await blobs.delete_folder("job-1")
    else:
        await blobs.delete_folder("documents")
        (tmp_path / "blobs" / "documents").write_text("a file where a folder should be")
    ended = await FindingsAppender(log, blobs, utc_now).append(JOB, outcome)
    assert isinstance(ended, Failed)
    assert (ended.code, ended.retryable, ended.duration_ms) == (ErrorCode.STORAGE_ERROR, True, 5)
    assert await log.facts(JOB_EVENTS) == []


async def test_a_log_that_refuses_a_fact_is_an_error_of_the_run(blobs: AsyncBlobs) -> None:
    class Refusing(MemoryLog):
        async def append(self, topic: Topic, fact: Fact, deadline_s: float | None = None) -> Position:
            raise AppendError("the record is too large")

    with pytest.raises(AppendError):
        await append(Refusing(), blobs, Findings(found=(await store(blobs, 1),)))


# --- beside it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri", ["documents/doc-1/abc", "documents/doc-1/details/abc", documents.removal_of("doc-1"), "folders/f/details/x"]
)
def test_the_sweep_leaves_documents_alone(uri: str) -> None:
    entry = BlobEntry(uri, BEGAN - timedelta(days=900))
    ages = Ages(timedelta(0), timedelta(0))
    assert condemned(entry, BEGAN, ages, lambda _: Backlog()) is None
