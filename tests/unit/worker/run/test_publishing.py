"""Finished pages that can be read before the end: when they are written, and what a reader finds."""

from pathlib import Path

import pytest

from piperoll.store.blobs import Blobs, BlobStoreError
from piperoll.store.page_paths import folder_of, is_record, last_record_of, record_of
from schemas.pages import RECORD_BYTES, FinishedPage, PageRecord, PageRecords
from services.worker.run.publishing import PagePublisher
from services.worker.run.resuming import PACE_S, PageCheckpoints

KEY = "f" * 64


class Job:
    """Runs of one job over one store, with a time that is set."""

    def __init__(self, root: Path) -> None:
        self.blobs = Blobs(root.as_uri())
        self.now = 100.0
        self.settled = True

    def run(self, name: str = "run-1", continues: bool = False, key: str | None = KEY) -> PagePublisher:
        return PagePublisher(self.blobs, "job-1", name, lambda: key, lambda: self.settled, continues, lambda: self.now)

    def read(self, publisher: PagePublisher, first: int, last: int, page_s: float) -> None:
        """Finish pages; each takes its time, and is reported before the next one begins."""
        for number in range(first, last + 1):
            self.now += page_s
            publisher.finish(FinishedPage(page=number, text=f"page {number}"))
            publisher.write_if_due()

    def names(self) -> list[str]:
        return sorted(self.blobs.list(folder_of("job-1")))

    def readable(self, records: PageRecords | None) -> list[int]:
        if records is None:
            return []
        uris = [record_of("job-1", records.run, records.key, number) for number in range(records.count)]
        return [page.page for uri in uris for page in PageRecord.model_validate_json(self.blobs.get(uri)).pages]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_a_run_that_ends_within_a_second_writes_nothing(job: Job) -> None:
    publisher = job.run()
    job.read(publisher, 1, 900, page_s=0.001)
    assert job.names() == []
    assert publisher.records is None


@pytest.mark.parametrize("page_s", [0.002, 0.25, 0.9, 7.0])
def test_a_record_a_second_has_all_pages_that_were_finished_in_it(job: Job, page_s: float) -> None:
    publisher = job.run()
    job.read(publisher, 1, 2000 if page_s < 0.1 else 40, page_s)
    records = publisher.records
    assert records is not None
    assert job.readable(records) == list(range(1, records.last + 1))
    assert records.count <= (job.now - 100.0) / PACE_S
    assert last_record_of("job-1", records) == job.names()[-1]
    unwritten = (2000 if page_s < 0.1 else 40) - records.last
    assert unwritten * page_s < PACE_S


def test_pages_before_long_work_are_written_at_once(job: Job) -> None:
    publisher = job.run()
    job.read(publisher, 1, 3, page_s=0.01)
    publisher.write()
    publisher.write()
    assert job.readable(publisher.records) == [1, 2, 3]
    assert len(job.names()) == 1


def test_without_the_key_of_the_work_nothing_is_written(job: Job) -> None:
    publisher = job.run(key=None)
    job.read(publisher, 1, 3, page_s=5)
    assert job.names() == []


def test_a_page_that_is_finished_again_is_dropped(job: Job) -> None:
    publisher = job.run()
    job.read(publisher, 1, 4, page_s=2)
    job.read(publisher, 1, 5, page_s=2)
    assert job.readable(publisher.records) == [1, 2, 3, 4, 5]


def test_a_record_that_cannot_be_written_is_written_with_the_next_one(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise BlobStoreError("full")

    publisher = job.run()
    with monkeypatch.context() as broken:
        broken.setattr(job.blobs, "put_named", refuse)
        job.read(publisher, 1, 3, page_s=2)
    assert publisher.records is None
    job.read(publisher, 4, 4, page_s=2)
    assert job.readable(publisher.records) == [1, 2, 3, 4]


def test_a_page_that_is_in_no_checkpoint_is_not_readable_yet(job: Job) -> None:
    publisher = job.run()
    job.settled = False
    job.read(publisher, 1, 3, page_s=2)
    assert (publisher.records, job.names()) == (None, [])
    job.settled = True
    job.read(publisher, 4, 4, page_s=2)
    assert job.readable(publisher.records) == [1, 2, 3, 4]


def test_another_child_of_the_run_goes_on_after_the_pages_that_are_readable(job: Job) -> None:
    job.read(job.run(), 1, 5, page_s=2)
    second = job.run(continues=True)
    job.read(second, 1, 3, page_s=2)
    assert second.records is None or second.records.last == 5
    job.read(second, 4, 8, page_s=2)
    assert job.readable(second.records) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_later_run_has_records_of_its_own_from_the_first_page(job: Job) -> None:
    first, second = job.run("run-1"), job.run("run-2")
    job.read(first, 1, 5, page_s=2)
    job.read(second, 1, 2, page_s=2)
    assert job.readable(second.records) == [1, 2]
    assert job.readable(first.records) == [1, 2, 3, 4, 5]


def test_a_later_attempt_takes_no_record_for_a_checkpoint(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    job.read(job.run("run-1"), 1, 2, page_s=2)
    read: list[str] = []
    get = job.blobs.get
    monkeypatch.setattr(job.blobs, "get", lambda uri: (read.append(uri), get(uri))[1])
    pages = PageCheckpoints(job.blobs, "job-1", "run-2", reads=True)
    pages.open(KEY)
    assert pages.resume("ocr", 1, lambda: None, None) is None  # type: ignore[arg-type]
    assert read == []
    assert pages.used, "so that they are deleted after the end"
    assert all(map(is_record, job.names()))


def test_a_second_with_much_text_becomes_several_records_that_can_be_read(job: Job) -> None:
    publisher = job.run()
    text = "x" * (RECORD_BYTES // 3)
    for number in range(1, 12):
        publisher.finish(FinishedPage(page=number, text=text))
    publisher.write()
    assert job.readable(publisher.records) == list(range(1, 12))
    assert max(len(job.blobs.get(name)) for name in job.names()) <= RECORD_BYTES


def test_pages_from_one_on_that_no_record_can_hold_are_left_to_the_end(job: Job) -> None:
    publisher = job.run()
    publisher.finish(FinishedPage(page=1, text="first"))
    publisher.finish(FinishedPage(page=2, text="x" * RECORD_BYTES))
    publisher.write()
    publisher.finish(FinishedPage(page=3, text="third"))
    publisher.write()
    assert job.readable(publisher.records) == [1]
