"""The answer about a job's pages: of every state of a job it has the same shape."""

import json
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from piperoll.domain.job import Job, evolve
from piperoll.store.blobs import AsyncBlobs, Blobs
from piperoll.store.page_paths import record_of
from schemas.claims import Claim
from schemas.events import (
    Event,
    JobCancelled,
    JobCompleted,
    JobCreated,
    JobFailed,
    JobProgress,
    JobRetryScheduled,
    JobStarted,
)
from schemas.pages import FinishedPage, PageRecord, PageRecords
from services.api.pages.passages import Passage, SearchablePages
from services.api.pages.reading import JobPages
from services.api.read_model.contents import Contents
from services.api.read_model.job_rows import JobRow
from tests.support.histories.jobs import fact
from tests.support.rows import JOB, job_row

KEY = "0" * 32
CREATED = JobCreated(job_type="pdf", parameters=Claim(uri="p", sha256="0", size=1), body_sha256="0")
RESULT = {
    "structured_data": {
        "metadata": {
            "page_start": 3,
            "page_end": 5,
            "failed_pages": [5],
            "text_contents": [
                {"page": 3, "content": "Hello", "text": "Hello", "method": "native"},
                {"page": 3, "content": "Hallo", "text": "Hallo", "method": "ocr", "score": 0.9},
                {"page": 4, "content": " ", "text": " ", "method": "native"},
                {"page": 4, "content": "Seen", "text": "Seen", "method": "ocr", "score": 0.8},
            ],
        }
    }
}


def row(*events: Event, job_type: str = "pdf") -> JobRow:
    """The row of a job after some facts."""
    job: Job | None = None
    for second, event in enumerate((CREATED.model_copy(update={"job_type": job_type}), *events)):
        job = evolve(job, fact(JOB, event, second))
    assert job is not None
    return job_row(job)


class Reader:
    """The answers about one job."""

    def __init__(self, root: Path) -> None:
        self.blobs = Blobs(root.as_uri())
        self.store = AsyncBlobs(self.blobs)
        self.pages = JobPages(self.store, Contents(self.store))

    def record(self, run: str, *numbers: int) -> PageRecords:
        content = PageRecord(pages=tuple(FinishedPage(page=one, text=f"{run} {one}") for one in numbers))
        self.blobs.put_named(record_of(JOB, run, KEY, 0), content.model_dump_json().encode(), "application/json")
        return PageRecords(run=run, key=KEY, count=1, last=numbers[-1])

    async def of(self, *events: Event, after: int = 0, limit: int = 100, job_type: str = "pdf") -> dict[str, Any]:
        return (await self.pages.after(row(*events, job_type=job_type), after, limit)).shown()


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[Reader]:
    made = Reader(tmp_path)
    yield made
    made.store.close()


def progress(run: str, records: PageRecords | None, sequence: int = 1) -> JobProgress:
    return JobProgress(
        run=run, sequence=sequence, step="extracting_text", percent=40, page=3, pages=9, page_records=records
    )


NOTHING = {"pages": [], "next_after": 0, "complete": False, "pages_total": None, "run": None}


async def test_a_job_that_has_no_pages_yet_has_an_empty_answer(reader: Reader) -> None:
    assert await reader.of() == NOTHING
    assert await reader.of(JobStarted(number=1, run="a", worker="w")) == NOTHING
    started = JobStarted(number=1, run="a", worker="w"), progress("a", None)
    assert await reader.of(*started) == {**NOTHING, "pages_total": 9}


async def test_a_running_job_shows_the_pages_that_its_progress_names(reader: Reader) -> None:
    records = reader.record("a", 1, 2, 3)
    events = [JobStarted(number=1, run="a", worker="w"), progress("a", records), progress("a", None, 2)]
    answer = await reader.of(*events, limit=2)
    assert answer["pages"] == [{"page": 1, "text": "a 1"}, {"page": 2, "text": "a 2"}]
    assert (answer["next_after"], answer["complete"], answer["pages_total"], answer["run"]) == (2, False, 9, "a")
    rest = await reader.of(*events, after=2)
    assert [page["page"] for page in rest["pages"]] == [3]
    assert (await reader.of(*events, after=3))["next_after"] == 3


async def test_pages_stay_readable_between_two_attempts_and_those_of_the_later_one_replace_them(
    reader: Reader,
) -> None:
    first, second = reader.record("a", 1, 2, 3), reader.record("b", 1)
    events: list[Event] = [JobStarted(number=1, run="a", worker="w"), progress("a", first)]
    events.append(JobRetryScheduled(run="a", error_code="OUT_OF_MEMORY", delay_s=1))
    assert (await reader.of(*events))["run"] == "a"
    events.append(JobStarted(number=2, run="b", worker="w"))
    assert [page["text"] for page in (await reader.of(*events))["pages"]] == ["a 1", "a 2", "a 3"]
    events.append(progress("b", second))
    assert [page["text"] for page in (await reader.of(*events))["pages"]] == ["b 1"]
    assert (await reader.of(*events, after=3))["next_after"] == 3


async def test_a_completed_job_shows_the_pages_of_its_result(reader: Reader) -> None:
    claim = reader.blobs.put_named(f"{JOB}/a/result.json", json.dumps(RESULT).encode(), "application/json")
    events = [JobStarted(number=1, run="a", worker="w"), progress("a", reader.record("a", 1))]
    events_to_end = [*events, JobCompleted(run="a", result=claim, pages=3)]
    answer = await reader.of(*events_to_end)
    assert answer["pages"] == [
        {
            "page": 3,
            "text": "Hello",
            "method": "native",
            "texts": [{"text": "Hello", "method": "native"}, {"text": "Hallo", "method": "ocr", "score": 0.9}],
        },
        {
            "page": 4,
            "text": "Seen",
            "method": "ocr",
            "score": 0.8,
            "texts": [{"text": " ", "method": "native"}, {"text": "Seen", "method": "ocr", "score": 0.8}],
        },
        {"page": 5, "text": "", "failed": True},
    ]
    assert (answer["next_after"], answer["complete"], answer["pages_total"], answer["run"]) == (5, True, 3, "a")
    begun = await reader.of(*events_to_end, limit=1)
    assert (begun["next_after"], begun["complete"]) == (3, False)
    assert (await reader.of(*events_to_end, after=3, limit=2))["complete"]
    assert await reader.of(*events_to_end, after=9) == {**answer, "pages": [], "next_after": 9}


@pytest.mark.parametrize(
    "end", [JobFailed(run="a", error_code="INVALID_PDF"), JobCancelled(by="o")], ids=["failed", "cancelled"]
)
async def test_a_job_that_did_not_complete_has_no_pages(reader: Reader, end: Event) -> None:
    events = [JobStarted(number=1, run="a", worker="w"), progress("a", reader.record("a", 1)), end]
    answer = await reader.of(*events)
    assert (answer["pages"], answer["complete"], answer["run"]) == ([], True, None)


async def test_a_type_without_pages_has_none(reader: Reader) -> None:
    claim = reader.blobs.put_named(f"{JOB}/a/result.json", b'{"structured_data": {}}', "application/json")
    events = [JobStarted(number=1, run="a", worker="w"), JobCompleted(run="a", result=claim)]
    for job_type in ("noop", "pdf", "of a plug-in that is gone"):
        assert await reader.of(*events, job_type=job_type) == {**NOTHING, "complete": True}


async def test_the_pages_of_a_long_result_are_made_beside_other_requests(reader: Reader) -> None:
    claim = reader.blobs.put_named(f"{JOB}/a/result.json", json.dumps(RESULT).encode(), "application/json")
    completed = row(JobStarted(number=1, run="a", worker="w"), JobCompleted(run="a", result=claim, pages=3))
    made, threads = SearchablePages.of, set[int]()

    def noted(pages: Sequence[FinishedPage]) -> SearchablePages:
        threads.add(threading.get_ident())
        return made(pages)

    with patch.object(SearchablePages, "of", noted):
        for _ in range(2):
            assert await reader.pages.passage(completed, "seen") == Passage(4, "seen")
    assert len(threads - {threading.get_ident()}) == len(threads) == 1


async def test_a_passage_is_found_in_the_pages_of_a_completed_job_alone(reader: Reader) -> None:
    claim = reader.blobs.put_named(f"{JOB}/a/result.json", json.dumps(RESULT).encode(), "application/json")
    started = JobStarted(number=1, run="a", worker="w")
    completed = row(started, JobCompleted(run="a", result=claim, pages=3))
    assert await reader.pages.passage(completed, "--- Seite 4 ---\nSEEN") == Passage(4, "seen")
    assert await reader.pages.passage(completed, "not there") is None
    running = row(started, progress("a", reader.record("a", 4)))
    failed = row(started, JobFailed(run="a", error_code="INVALID_PDF"))
    assert [await reader.pages.passage(one, "Seen") for one in (running, failed, row())] == [None, None, None]
