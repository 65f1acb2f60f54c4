"""The finished pages of a job: from the records of its run, and after its end from its result."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from piperoll.domain.job import Status
from piperoll.job_types import job_types
from piperoll.store.blobs import AsyncBlobs
from schemas.pages import FinishedPage
from services.api.pages.passages import Passage, SearchablePages
from services.api.pages.records import RecordReader
from services.api.read_model.content_memo import ContentMemo
from services.api.read_model.contents import Contents
from services.api.read_model.job_rows import JobRow

RESULTS = 4  # parsed, so that a client that pages through a long one does not parse it again; up to 40 MB each


@dataclass(frozen=True, slots=True)
class PagesAnswer:
    """Pages after a number. `complete`: no page follows, also later. `run` read them; None while there are none."""

    pages: Sequence[FinishedPage]
    next_after: int
    complete: bool
    total: int | None
    run: str | None

    def shown(self) -> dict[str, Any]:
        """Return the answer as JSON."""
        return {
            "pages": [page.shown() for page in self.pages],
            "next_after": self.next_after,
            "complete": self.complete,
            "pages_total": self.total,
            "run": self.run,
        }


class JobPages:
    """Reads the pages of jobs. Raises BlobStoreError while the store does not answer."""

    def __init__(self, blobs: AsyncBlobs, contents: Contents) -> None:
        self._blobs = blobs
        self._results: ContentMemo[Sequence[FinishedPage]] = ContentMemo(contents, RESULTS, long=True)
        self._searchable: ContentMemo[SearchablePages] = ContentMemo(contents, RESULTS, long=True)

    async def after(self, row: JobRow, after: int, limit: int) -> PagesAnswer:
        """Return up to `limit` pages after page `after`. A job that failed or was cancelled has none."""
        job = row.job
        total = job.pages if job else None
        if job is None or (not row.status.terminal and job.page_records is None):
            return PagesAnswer((), after, False, total, None)
        if job.page_records is not None:
            pages = await RecordReader(self._blobs, row.job_id, job.page_records).pages(after, limit)
            return PagesAnswer(pages, _next(pages, after), False, total, job.page_records.run)
        found = await self._of_result(row)
        following = [page for page in found if page.page > after]
        pages = following[:limit]
        run = job.run if found else None
        return PagesAnswer(pages, _next(pages, after), len(pages) == len(following), total, run)

    async def passage(self, row: JobRow, text: str) -> Passage | None:
        """Return where a text is first found in the pages of a completed job; None for one that is in none."""
        if row.job is None or row.status is not Status.COMPLETED:
            return None
        pages_of = job_types().of(row.job_type).pages
        found = await self._searchable.get(row.job.result, lambda result: SearchablePages.of(pages_of(result)))
        return None if found is None else await asyncio.to_thread(found.find, text)

    async def _of_result(self, row: JobRow) -> Sequence[FinishedPage]:
        if row.job is None or row.status is not Status.COMPLETED:
            return ()
        return await self._results.get(row.job.result, job_types().of(row.job_type).pages) or ()


def _next(pages: Sequence[FinishedPage], after: int) -> int:
    return pages[-1].page if pages else after
