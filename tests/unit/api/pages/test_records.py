"""Reading the pages of a running job from the records of its run."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from piperoll.store.blobs import AsyncBlobs, Blobs
from piperoll.store.page_paths import record_of
from schemas.pages import RECORD_BYTES, FinishedPage, PageRecord, PageRecords
from services.api.pages.records import RecordReader

KEY = "0" * 32
ALL = 10_000


class Records:
    """The records of a run that begins with page `first`, `each` pages in a record."""

    def __init__(self, root: Path, count: int, each: int, first: int = 1) -> None:
        self.store = AsyncBlobs(Blobs(root.as_uri()))
        self.last = first + count * each - 1
        self.known = PageRecords(run="run-1", key=KEY, count=count, last=self.last)
        self.reads = 0
        for number in range(count):
            begin = first + number * each
            self.write(root, number, range(begin, begin + each))

    @staticmethod
    def write(root: Path, number: int, pages: range) -> None:
        content = PageRecord(pages=tuple(FinishedPage(page=page, text=f"page {page}") for page in pages))
        uri = record_of("job-1", "run-1", KEY, number)
        Blobs(root.as_uri()).put_named(uri, content.model_dump_json().encode(), "application/json")

    async def get(self, uri: str) -> bytes:
        self.reads += 1
        return await self.store.get(uri)

    async def size(self, uri: str) -> int:
        return await self.store.size(uri)

    async def after(self, after: int, limit: int = ALL) -> list[int]:
        reader = RecordReader(self, "job-1", self.known)  # type: ignore[arg-type]
        return [page.page for page in await reader.pages(after, limit)]


@pytest.fixture
async def many(tmp_path: Path) -> AsyncIterator[Records]:
    """Pages 11 to 210 in 100 records."""
    records = Records(tmp_path, count=100, each=2, first=11)
    yield records
    records.store.close()


@pytest.mark.parametrize("after", [0, 5, 10, 11, 12, 13, 99, 150, 207, 208, 209])
async def test_the_pages_after_a_number_come_in_order_without_gaps(many: Records, after: int) -> None:
    assert await many.after(after) == list(range(max(11, after + 1), 211))
    assert await many.after(after, limit=3) == list(range(max(11, after + 1), 211))[:3]


async def test_a_client_that_follows_costs_two_reads(many: Records) -> None:
    assert await many.after(208) == [209, 210]
    assert many.reads <= 2
    many.reads = 0
    assert await many.after(210) == []
    assert many.reads <= 1


async def test_a_place_in_the_middle_is_found_by_few_reads(many: Records) -> None:
    assert await many.after(57, limit=2) == [58, 59]
    assert many.reads < 12


async def test_pages_that_no_fact_names_yet_are_read_too(many: Records, tmp_path: Path) -> None:
    many.write(tmp_path, 100, range(211, 214))
    many.write(tmp_path, 101, range(214, 215))
    assert await many.after(210) == [211, 212, 213, 214]
    assert await many.after(212) == [213, 214]


async def test_records_that_lead_no_further_are_not_read_on(tmp_path: Path) -> None:
    """A run that was taken over may write many of them."""
    records = Records(tmp_path, count=1, each=1)
    for number in range(1, 50):
        records.write(tmp_path, number, range(1, 2))
    assert await records.after(0) == [1]
    assert records.reads <= 3
    assert await records.after(1) == []
    assert records.reads <= 5
    records.store.close()


async def test_records_that_were_deleted_end_the_answer(tmp_path: Path) -> None:
    records = Records(tmp_path, count=4, each=1)
    await records.store.delete([record_of("job-1", "run-1", KEY, 2)])
    assert await records.after(0) == [1, 2]
    await records.store.delete_folder("job-1")
    for after in range(6):
        assert await records.after(after) == []
    records.store.close()


@pytest.mark.parametrize("content", [b"", b"not JSON", b'{"pages": []}', b'{"pages": [{"page": "x"}]}', b"[1]"])
async def test_a_damaged_record_counts_as_missing(tmp_path: Path, content: bytes) -> None:
    records = Records(tmp_path, count=2, each=1)
    Blobs(tmp_path.as_uri()).replace(record_of("job-1", "run-1", KEY, 0), content)
    assert await records.after(0) == []
    assert await records.after(1) == [2]
    records.store.close()


async def test_a_record_that_is_too_large_ends_the_pages_and_is_not_read(tmp_path: Path) -> None:
    records = Records(tmp_path, count=3, each=2)
    uri = record_of("job-1", "run-1", KEY, 1)
    page = FinishedPage(page=3, text="x" * RECORD_BYTES)
    (tmp_path / uri).write_text(PageRecord(pages=(page,)).model_dump_json())
    assert await records.after(0) == [1, 2]
    assert records.reads == 1
    records.store.close()
