"""Which jobs and batches use an upload. A marker is written before their creation, so it alone proves nothing.

The request may have failed between the two, and then nothing would ever remove the marker. So the log decides: a marker
counts while the log has its job, and that was not erased, or its batch, and that is not expanded. A creation that is on
its way has `uploads.ARRIVAL_S` to arrive.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

import structlog
from pydantic_core import from_json

from piperoll.log.contract import LogView
from piperoll.log.parking import decode_accounted
from piperoll.log.record import Record, partition_of
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from schemas.events import BatchErased, BatchExpanded, JobErased
from schemas.topics import JOB_EVENTS

log = structlog.get_logger()

OVER = {one.type_name() for one in (JobErased, BatchErased, BatchExpanded)}
"""After these facts a job or batch uses nothing."""
REMEMBERED = 10_000  # ids that the log has; a bound for memory


class UploadUses:
    """Decides about uploads of erased jobs. `knows` is whether a partition of this worker has a job, without a scan."""

    def __init__(self, blobs: AsyncBlobs, history: LogView, partitions: int, knows: Callable[[str], bool]) -> None:
        self._blobs = blobs
        self._history = history
        self._partitions = partitions
        self._knows = knows
        self._in_log: set[str] = set()
        self._over: set[str] = set()
        self._missing_since: dict[str, float] = {}
        self._scanning = asyncio.Lock()

    async def give_up(self, subject: str, owner: str, file_id: str) -> bool:
        """Delete an upload of an erased job, or of an expanded or erased batch, unless others use it.

        Return whether that is decided yet. The markers of a batch's members decide for themselves when these are
        erased. Raises BlobStoreError, and what the log raises.
        """
        uses = uploads.uses_of(owner, file_id)
        mine = f"{uses}/{subject}"
        if uploads.is_batch(subject):
            await self._blobs.delete([mine])  # first, so that of two at once one sees no other: a batch does not wait
        others = {mark.rpartition("/")[2] for mark in await self._blobs.names(uses)} - {subject}
        if others and not uploads.is_batch(subject) and not await self._known(others):
            failed = [self._has_failed(other) for other in others]  # of each, since the first look begins its wait
            if not all(failed):
                return False
            log.info("upload_of_failed_requests_deleted", owner=owner, file_id=file_id, jobs=sorted(others))
            others = set()
        await self._blobs.delete([mine])  # as late, since it shows until then that the erasure waits
        if not others:
            await self._blobs.delete_folder(uses)
            await self._blobs.delete_folder(uploads.folder_of(owner, file_id))
        return True

    async def _known(self, subjects: Collection[str]) -> bool:
        """Whether the log has one of the jobs, or a batch that is not expanded. Such a batch is not remembered."""
        jobs = [one for one in subjects if not uploads.is_batch(one)]
        if any(job_id in self._in_log or self._knows(job_id) for job_id in jobs):
            return True
        async with self._scanning:
            unknown = set(subjects) - self._over  # of jobs that are erased together, one scan finds all
            found, over = await self._scan(unknown) if unknown else (set(), set())
        for kept, more in ((self._in_log, found), (self._over, over)):
            if len(kept) > REMEMBERED:
                kept.clear()
            kept |= more
        return bool(found)

    async def _scan(self, subjects: set[str]) -> tuple[set[str], set[str]]:
        """The ids that the log has and that use uploads, and those that do no more; reads the log to its end."""
        parts = {partition_of(one, self._partitions) for one in subjects}
        begins, ends = await self._history.begin_offsets(JOB_EVENTS), await self._history.end_offsets(JOB_EVENTS)
        if any(begins[part] for part in parts):
            return subjects, set()  # the oldest records are gone: what is missing proves nothing
        wanted = {one.encode(): one for one in subjects}
        found: set[str] = set()
        over: set[str] = set()
        scan = self._history.scan(JOB_EVENTS, {p: begins[p] for p in parts}, {p: ends[p] for p in parts})
        async with contextlib.aclosing(scan) as batches:
            async for records in batches:
                for record in records:
                    if record.key in wanted:
                        (over if _ends_use(record) else found).add(wanted[record.key])
                await asyncio.sleep(0)
        return found - over, over

    def _has_failed(self, job_id: str) -> bool:
        """Whether a job or batch uses nothing: it is over, or has been missing in the log for long enough."""
        if job_id in self._over:
            return True
        now = asyncio.get_running_loop().time()
        if len(self._missing_since) > REMEMBERED:
            self._missing_since.clear()
        return now - self._missing_since.setdefault(job_id, now) >= uploads.ARRIVAL_S


async def given_in(blobs: AsyncBlobs, uri: str, only_with: bytes = b"") -> Sequence[dict[str, Any]]:
    """Return what a job was given, or the members of a batch, by stored parameters or specifications.

    Nothing if they were deleted meanwhile, lack `only_with`, or are the name of a batch. Raises BlobStoreError.
    """
    try:
        content = await blobs.get(uri)
        body = from_json(content) if only_with in content else []
    except (BlobMissingError, ValueError):
        return []
    given = body if isinstance(body, list) else [body]
    return [one for one in given if isinstance(one, dict) and isinstance(one.get("parameters"), dict)]


async def named_in(blobs: AsyncBlobs, specs: str) -> Sequence[str]:
    """Return the ids of the uploads that the members of a batch name. Raises BlobStoreError."""
    given = await given_in(blobs, specs, uploads.SCHEME.encode())
    return uploads.file_ids_of(*(one["parameters"] for one in given))


def _ends_use(record: Record) -> bool:
    """Whether a record is an end of uses that every reader admits."""
    return record.ce_type in OVER and decode_accounted(record).fact is not None
