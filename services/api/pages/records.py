"""Reads the records of finished pages of a running job (piperoll.store.page_paths)."""

from typing import NamedTuple

import structlog
from pydantic import ValidationError

from piperoll.store.blobs import AsyncBlobs, BlobMissingError, BlobUnreadableError
from piperoll.store.page_paths import record_of
from schemas.pages import RECORD_BYTES, FinishedPage, PageRecord, PageRecords

log = structlog.get_logger()


class _Span(NamedTuple):
    """The first and the last page of a record."""

    first: int
    last: int


class RecordReader:
    """Reads the records of one run; they never change. Raises BlobStoreError while the store does not answer."""

    def __init__(self, blobs: AsyncBlobs, job_id: str, records: PageRecords) -> None:
        self._blobs = blobs
        self._job_id = job_id
        self._records = records
        self._read: dict[int, PageRecord] = {}

    async def pages(self, after: int, limit: int) -> list[FinishedPage]:
        """Return up to `limit` pages after page `after`, in order. Also those that no fact names yet: a run numbers its
        records without gaps. Fewer if records were deleted, since the job has ended."""
        found: list[FinishedPage] = []
        number = await self._begin(after)
        while len(found) < limit and (record := await self._record(number)) is not None:
            following = [page for page in record.pages if page.page > after]
            if not following:
                break  # records are in order: only a run that was taken over writes on without getting further
            found += following
            after = following[-1].page
            number += 1
        return found[:limit]

    async def _begin(self, after: int) -> int:
        """Return the number of the first record with a page after `after`. A client that follows needs the last one."""
        low, high = 0, self._records.count
        probe = high - 1
        if after >= self._records.last:
            return high
        while low < high and after > 0:
            span = await self._span(probe)
            if span is None:
                return low
            if span.first <= after + 1 <= span.last:
                return probe
            if span.last <= after:
                low = probe + 1
            else:
                high = probe
            probe = (low + high) // 2
        return low

    async def _span(self, number: int) -> _Span | None:
        record = await self._record(number)
        return None if record is None else _Span(record.pages[0].page, record.pages[-1].page)

    async def _record(self, number: int) -> PageRecord | None:
        if number in self._read:
            return self._read[number]
        records = self._records
        uri = record_of(self._job_id, records.run, records.key, number)
        try:
            if (size := await self._blobs.size(uri)) > RECORD_BYTES:  # a run that a file took over may write anything
                log.warning("page_record_too_large", uri=uri, size=size)
                return None
            record = self._read[number] = PageRecord.model_validate_json(await self._blobs.get(uri))
        except BlobMissingError:
            return None
        except (BlobUnreadableError, ValidationError):
            log.info("page_record_unreadable", uri=uri)
            return None
        return record
