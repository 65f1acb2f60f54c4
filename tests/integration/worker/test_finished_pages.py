"""A real child makes finished pages readable while it runs, and leaves nothing for a short document."""

from pathlib import Path

from piperoll.store.blobs import Blobs
from piperoll.store.page_paths import folder_of, record_of
from schemas.pages import PageRecord, PageRecords
from services.worker.children.protocol import Assignment, Completed, RunProgress
from tests.support.children import assignment, running_pool
from tests.support.files.pdf import long_pdf, pdf


def store(tmp_path: Path) -> Blobs:
    return Blobs(f"file://{tmp_path}/blobs")


def readable(blobs: Blobs, given: Assignment, records: PageRecords) -> list[int]:
    """The numbers of the pages in the records."""
    uris = [record_of(given.job_id, records.run, records.key, number) for number in range(records.count)]
    return [page.page for uri in uris for page in PageRecord.model_validate_json(blobs.get(uri)).pages]


async def test_the_pages_that_progress_names_can_be_read_at_that_moment(tmp_path: Path) -> None:
    count = long_pdf(tmp_path / "a.pdf", "words", least_s=4)
    given = assignment(tmp_path, "pdf", filename=f"{tmp_path}/a.pdf")
    blobs, seen = store(tmp_path), []

    def on_progress(progress: RunProgress) -> None:
        if progress.page_records is not None and (not seen or progress.page_records != seen[-1]):
            seen.append(progress.page_records)
            assert readable(blobs, given, progress.page_records) == list(range(1, progress.page_records.last + 1))

    async with running_pool(tmp_path) as pool:
        outcome = await pool.run(given, on_progress)
    assert isinstance(outcome, Completed)
    assert outcome.page_checkpoints, "so that they are deleted"
    assert len(seen) >= 2
    assert [one.count for one in seen] == sorted({one.count for one in seen})
    assert seen[-1].last <= count


async def test_a_short_document_leaves_nothing(tmp_path: Path) -> None:
    given = assignment(tmp_path, "pdf", filename=str(pdf(tmp_path / "b.pdf", pages=3)))
    async with running_pool(tmp_path) as pool:
        outcome = await pool.run(given, lambda progress: None)
    assert isinstance(outcome, Completed)
    assert not outcome.page_checkpoints
    assert list(store(tmp_path).list(folder_of(given.job_id))) == []
