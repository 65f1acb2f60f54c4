"""Finished pages of a run, readable before its end (docs/contract/additions.md#pages).

They are written beside the log as records (piperoll.store.page_paths), at most one in PACE_S: a quick job writes none,
and a page of a text layer costs a few microseconds. Nothing is written without a key of the work, which
`Workspace.recall` determines, and nothing that is not in a checkpoint: a later attempt must not find another text on a
page that was readable.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from pydantic import ValidationError

from piperoll.store.blobs import BlobMissingError, Blobs, BlobStoreError
from piperoll.store.page_paths import KEY_CHARS, RECORDS, place_of, record_of
from schemas.pages import RECORD_BYTES, FinishedPage, PageRecord, PageRecords
from services.worker.run.resuming import PACE_S


class PagePublisher:
    """Writes the records of one run. `key` returns that of its work, None before it is known.

    `settle` writes the checkpoints, and returns whether that succeeded. One that `continues` goes on where an earlier
    child of the same run stood.
    """

    def __init__(
        self,
        blobs: Blobs,
        job_id: str,
        run: str,
        key: Callable[[], str | None],
        settle: Callable[[], bool],
        continues: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._blobs = blobs
        self._job_id = job_id
        self._run = run
        self._key = key
        self._settle = settle
        self._continues = continues
        self._now = now
        self._written_at = now()
        self._fresh: list[FinishedPage] = []
        self._last = 0
        self._records: PageRecords | None = None
        self._stopped = False

    @property
    def records(self) -> PageRecords | None:
        """What is readable; None before the first record."""
        return self._records

    def finish(self, page: FinishedPage) -> None:
        """See `services.worker.run.workspace.FinishPage`."""
        if page.page > self._last:
            self._last = page.page
            self._fresh.append(page)

    def write_if_due(self) -> None:
        """Write the pages that were finished since the last record, if that is PACE_S ago."""
        if self._fresh and self._now() - self._written_at >= PACE_S:
            self.write()

    def write(self) -> None:
        """Write them now. A store that fails does not end the work: they are written with the next ones."""
        if self._stopped or not self._fresh or (key := self._key()) is None:
            return
        self._written_at = self._now()
        if not self._settle():
            return
        with suppress(BlobStoreError):
            self._write(key[:KEY_CHARS])

    def _write(self, key: str) -> None:
        if self._continues:
            self._find_earlier(key)
        self._fresh = pages = [page for page in self._fresh if page.page > self._readable()]
        if not pages:
            return
        self._stopped = not self._put(key, pages)
        self._fresh.clear()

    def _put(self, key: str, pages: Sequence[FinishedPage]) -> bool:
        """Write pages in one record, or in several if it were too large. False if a page alone is: pages have no gaps,
        so it and all that follow can be read after the end."""
        content = PageRecord(pages=tuple(pages)).model_dump_json(exclude_defaults=True).encode()
        if len(content) > RECORD_BYTES:
            middle = len(pages) // 2
            return middle > 0 and self._put(key, pages[:middle]) and self._put(key, pages[middle:])
        number = 0 if self._records is None else self._records.count
        self._blobs.put_named(record_of(self._job_id, self._run, key, number), content, "application/json")
        self._records = PageRecords(run=self._run, key=key, count=number + 1, last=pages[-1].page)
        return True

    def _readable(self) -> int:
        return 0 if self._records is None else self._records.last

    def _find_earlier(self, key: str) -> None:
        """Find the records of an earlier child of this run."""
        begin = f"{place_of(self._job_id, key)}/{self._run}{RECORDS}"
        uris = sorted(uri for uri in self._blobs.list(place_of(self._job_id, key)) if uri.startswith(begin))
        self._continues = False
        with suppress(BlobMissingError, ValidationError):
            if uris:
                last = PageRecord.model_validate_json(self._blobs.get(uris[-1])).pages[-1].page
                self._records = PageRecords(run=self._run, key=key, count=len(uris), last=last)
