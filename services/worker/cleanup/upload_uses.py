"""Which jobs use an upload. A job's marker is written before its creation, so a marker alone proves nothing.

The request may have failed between the two, and then nothing would ever remove the marker. So the log decides: a marker
counts while the log has its job, and that was not erased. A creation that is on its way has `uploads.ARRIVAL_S`.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection

import structlog

from piperoll.log.contract import LogView
from piperoll.log.parking import decode_accounted
from piperoll.log.record import Record, partition_of
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs
from schemas.events import JobErased
from schemas.topics import JOB_EVENTS

log = structlog.get_logger()

ERASED = JobErased.type_name()
REMEMBERED = 10_000  # ids that the log has; a bound for memory


class UploadUses:
    """Decides about uploads of erased jobs. `knows` is whether a partition of this worker has a job, without a scan."""

    def __init__(self, blobs: AsyncBlobs, history: LogView, partitions: int, knows: Callable[[str], bool]) -> None:
        self._blobs = blobs
        self._history = history
        self._partitions = partitions
        self._knows = knows
        self._in_log: set[str] = set()
        self._erased: set[str] = set()
        self._missing_since: dict[str, float] = {}
        self._scanning = asyncio.Lock()

    async def give_up(self, job_id: str, owner: str, file_id: str) -> bool:
        """Delete an upload of an erased job unless other jobs use it; return whether that is decided yet.

        Raises BlobStoreError, and what the log raises.
        """
        uses = uploads.uses_of(owner, file_id)
        marks = await self._blobs.names(uses)
        others = {mark.rpartition("/")[2] for mark in marks} - {job_id}
        if others and not await self._known(others):
            failed = [self._has_failed(other) for other in others]  # of each, since the first look begins its wait
            if not all(failed):
                return False
            log.info("upload_of_failed_requests_deleted", owner=owner, file_id=file_id, jobs=sorted(others))
            others = set()
        await self._blobs.delete([f"{uses}/{job_id}"])
        if not others:
            await self._blobs.delete_folder(uses)
            await self._blobs.delete_folder(uploads.folder_of(owner, file_id))
        return True

    async def _known(self, job_ids: Collection[str]) -> bool:
        """Whether the log has one of the jobs."""
        if any(job_id in self._in_log or self._knows(job_id) for job_id in job_ids):
            return True
        async with self._scanning:
            unknown = set(job_ids) - self._erased  # of jobs that are erased together, one scan finds all
            found, erased = await self._scan(unknown) if unknown else (set(), set())
        for kept, more in ((self._in_log, found), (self._erased, erased)):
            if len(kept) > REMEMBERED:
                kept.clear()
            kept |= more
        return bool(found)

    async def _scan(self, job_ids: set[str]) -> tuple[set[str], set[str]]:
        """The ids of jobs that the log has and that are not erased, and the erased ones; reads the log to its end."""
        parts = {partition_of(job_id, self._partitions) for job_id in job_ids}
        begins, ends = await self._history.begin_offsets(JOB_EVENTS), await self._history.end_offsets(JOB_EVENTS)
        if any(begins[part] for part in parts):
            return job_ids, set()  # the oldest records are gone: what is missing proves nothing
        wanted = {job_id.encode(): job_id for job_id in job_ids}
        found: set[str] = set()
        erased: set[str] = set()
        scan = self._history.scan(JOB_EVENTS, {p: begins[p] for p in parts}, {p: ends[p] for p in parts})
        async with contextlib.aclosing(scan) as batches:
            async for records in batches:
                for record in records:
                    if record.key in wanted:
                        (erased if _erases(record) else found).add(wanted[record.key])
                await asyncio.sleep(0)
        return found - erased, erased

    def _has_failed(self, job_id: str) -> bool:
        """Whether a job uses nothing: it was erased, or has been missing in the log for long enough."""
        if job_id in self._erased:
            return True
        now = asyncio.get_running_loop().time()
        if len(self._missing_since) > REMEMBERED:
            self._missing_since.clear()
        return now - self._missing_since.setdefault(job_id, now) >= uploads.ARRIVAL_S


def _erases(record: Record) -> bool:
    """Whether a record is an erasure that every reader admits."""
    return record.ce_type == ERASED and decode_accounted(record).fact is not None
