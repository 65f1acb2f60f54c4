"""The checkpoints of finished pages: when they are written, and who reads them."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from piperoll.store.blobs import Blobs, BlobStoreError
from piperoll.store.page_paths import FOLDER
from services.worker.ocr.contract import Recognised
from services.worker.run.resuming import PACE_S, PageCheckpoints

KEY = "f" * 64
RECOGNISED = TypeAdapter(Recognised)


class Job:
    """Attempts at one job over one store, with a time that is set."""

    def __init__(self, root: Path) -> None:
        self.blobs = Blobs(root.as_uri())
        self.now = 100.0
        self.worked: list[int] = []

    def attempt(self, run: str, reads: bool, key: str | None = KEY, job_id: str = "job-1") -> PageCheckpoints:
        pages = PageCheckpoints(self.blobs, job_id, run, reads, lambda: self.now)
        if key is not None:
            pages.open(key)
        return pages

    def read(self, pages: PageCheckpoints, numbers: Sequence[int], page_s: float, step: str = "ocr") -> list[str]:
        """The texts of the pages; each one that is worked on takes its time."""

        def work(number: int) -> Recognised:
            self.now += page_s
            self.worked.append(number)
            return Recognised(f"page {number}", 0.5)

        found = [pages.resume(step, number, lambda number=number: work(number), RECOGNISED) for number in numbers]
        return [one.text for one in found if one is not None]

    def names(self) -> list[str]:
        return sorted(self.blobs.list("job-1"))


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_a_job_that_ends_within_a_second_writes_and_reads_nothing(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job.blobs, "list", None)
    pages = job.attempt("run-1", reads=False)
    job.read(pages, range(1, 10), page_s=0.1)
    monkeypatch.undo()
    assert job.names() == []
    assert not pages.used


def test_pages_are_written_at_most_once_a_second(job: Job) -> None:
    pages = job.attempt("run-1", reads=False)
    job.read(pages, range(1, 41), page_s=0.25)
    assert len(job.names()) == 10 * 0.25 * 4 / PACE_S
    assert pages.used


def test_the_next_attempt_works_on_the_unfinished_pages_only(job: Job) -> None:
    job.read(job.attempt("run-1", reads=False), [1, 2, 3], page_s=2)
    texts = job.read(job.attempt("run-2", reads=True), [1, 2, 3, 4, 5], page_s=2)
    assert texts == [f"page {number}" for number in range(1, 6)]
    assert job.worked == [1, 2, 3, 4, 5]
    job.read(job.attempt("run-3", reads=True), [1, 2, 3, 4, 5], page_s=2)
    assert job.worked == [1, 2, 3, 4, 5]


def test_a_lost_attempt_repeats_no_more_than_the_last_second(job: Job) -> None:
    job.read(job.attempt("run-1", reads=False), range(1, 40), page_s=0.3)
    job.worked.clear()
    job.read(job.attempt("run-2", reads=True), range(1, 40), page_s=0.3)
    assert len(job.worked) * 0.3 <= PACE_S


def test_pages_of_other_work_another_job_or_another_step_are_not_used(job: Job) -> None:
    job.read(job.attempt("run-1", reads=False), [1], page_s=2)
    job.read(job.attempt("run-2", reads=True, key="e" * 64), [1], page_s=2)
    job.read(job.attempt("run-3", reads=True, job_id="job-2"), [1], page_s=2)
    job.read(job.attempt("run-4", reads=True), [1], page_s=2, step="llm")
    assert job.worked == [1, 1, 1, 1]


def test_work_without_a_key_keeps_nothing(job: Job) -> None:
    job.read(job.attempt("run-1", reads=True, key=None), [1, 2], page_s=2)
    assert job.names() == []


def test_a_page_without_a_result_is_worked_on_again(job: Job) -> None:
    job.now += 2
    assert job.attempt("run-1", reads=False).resume("ocr", 1, lambda: None, RECOGNISED) is None
    assert job.read(job.attempt("run-2", reads=True), [1], page_s=2) == ["page 1"]


@pytest.mark.parametrize("content", [b"", b"not JSON", b'{"ocr/1": {"text": 5}}', b'["ocr/1"]'])
def test_a_damaged_checkpoint_counts_as_missing(job: Job, content: bytes) -> None:
    job.read(job.attempt("run-1", reads=False), [1], page_s=2)
    job.blobs.replace(job.names()[0], content)
    assert job.read(job.attempt("run-2", reads=True), [1], page_s=2) == ["page 1"]
    assert job.worked == [1, 1]


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_work_and_is_written_later(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise BlobStoreError("full")

    pages = job.attempt("run-1", reads=False)
    monkeypatch.setattr(job.blobs, "put_named", refuse)
    job.read(pages, [1, 2], page_s=2)
    monkeypatch.undo()
    job.read(pages, [3], page_s=2)
    job.read(job.attempt("run-2", reads=True), [1, 2, 3], page_s=2)
    assert job.worked == [1, 2, 3]


def test_no_part_of_a_checkpoints_path_is_the_hash_of_a_content(job: Job) -> None:
    job.read(job.attempt("run-1", reads=False), [1], page_s=2)
    (name,) = job.names()
    assert name.startswith(f"job-1/{FOLDER}/")
    assert max(len(part) for part in name.split("/")) < 64


def test_what_is_finished_can_be_written_before_a_second_is_over(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = job.attempt("run-1", reads=False)
    assert pages.write()
    job.read(pages, [1, 2], page_s=0.1)
    assert pages.write()
    assert len(job.names()) == 1
    job.read(job.attempt("run-2", reads=True), [1, 2], page_s=0.1)
    assert job.worked == [1, 2]
    job.read(pages, [3], page_s=0.1)
    monkeypatch.setattr(job.blobs, "put_named", refuse)
    assert not pages.write()


def refuse(*_: object) -> None:
    raise BlobStoreError("full")
