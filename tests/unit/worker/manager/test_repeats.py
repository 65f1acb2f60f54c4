"""Faults while found documents become facts: repeats append the same, and no fact is lost."""

from pathlib import Path

import pytest

from piperoll.clock import utc_now
from piperoll.domain import document as document_fold
from piperoll.log.contract import AppendError
from piperoll.log.record import Position
from piperoll.store.blobs import AsyncBlobs
from schemas.documents import Findings, LostDocument
from schemas.envelope import Fact
from schemas.errors import ErrorCode
from schemas.events import DocumentAdded
from schemas.topics import DOCUMENT_EVENTS, JOB_EVENTS, Topic
from services.worker.children.protocol import Failed
from services.worker.manager.found_documents import FindingsAppender
from tests.support.memory_log import MemoryLog
from tests.support.runs.findings import JOB, CrashedError, FaultyLog, append, outcome_of, store


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
