"""The sweep: periodically lists the whole blob store and deletes blobs that are no longer needed.

A worker knows the jobs of its partitions, so each sweeps the blobs of these; uploads and cache entries, which belong
to no partition, are swept by the worker with the first partition. Uploads are kept while this worker has an open job
that was created before they expired, since it may have to read them.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog

from piperoll.clock import Clock, happens_within
from piperoll.domain.backlog import REMEMBER_ENDED, Backlog
from piperoll.job_types import cache_ttl_s, job_types
from piperoll.log.record import partition_of
from piperoll.settings import Settings
from piperoll.store import segments, uploads
from piperoll.store.blobs import AsyncBlobs, BlobEntry, BlobMissingError, BlobStoreError
from services.worker import metrics
from services.worker.cleanup.erasure import Eraser
from services.worker.run import cache

log = structlog.get_logger()

FIRST_AFTER_S = 300.0  # a worker that is restarted often must sweep too
PAUSE_S = 0.05  # between two pages, so that jobs get the disk
ORPHANED_AFTER = timedelta(hours=6)  # longer than a POST takes from its blobs to its record
ORPHANED_BEFORE = REMEMBER_ENDED - timedelta(hours=8)
"""An older blob may belong to a job whose end was forgotten. The margin covers clock differences."""
SPECS_DONE_AFTER = timedelta(hours=1)

Reason = Literal["erased", "orphaned", "expanded", "upload", "cache"]
BacklogOf = Callable[[str], Backlog | None]
"""The backlog of the partition of a job or batch; None while it is not assigned or being replayed."""


@dataclass(frozen=True, slots=True)
class Ages:
    """The maximum ages of blobs that belong to no job. None: another worker sweeps them."""

    upload: timedelta | None
    cache: timedelta | None


def condemned(entry: BlobEntry, now: datetime, ages: Ages, backlog_of: BacklogOf) -> Reason | None:
    """Why a blob is to be deleted; None for one to keep."""
    age = now - entry.written_at
    folder, _, rest = entry.uri.partition("/")
    match folder:
        case uploads.FOLDER | uploads.USES:
            return "upload" if ages.upload is not None and age > ages.upload else None
        case cache.FOLDER:
            return "cache" if ages.cache is not None and age > ages.cache else None
    if not folder.startswith(("job-", "batch-")):
        return None
    backlog = backlog_of(folder)
    return None if backlog is None else _of_subject(folder, rest, age, backlog)


def _of_subject(subject: str, rest: str, age: timedelta, backlog: Backlog) -> Reason | None:
    if subject in backlog.erased:
        return "erased"
    if subject in backlog.ended:
        expanded = subject.startswith("batch-") and rest.startswith("specs/")
        return "expanded" if expanded and age > SPECS_DONE_AFTER else None
    known = subject in backlog.jobs or subject in backlog.batches or subject in backlog.parked
    return "orphaned" if not known and ORPHANED_AFTER < age < ORPHANED_BEFORE else None


def of_line(subject: str, age: timedelta, backlog: Backlog | None) -> Reason | None:
    """Why an entry is to be erased from its segment, which was created `age` ago: see `condemned`."""
    if backlog is None or age > ORPHANED_BEFORE:
        return None
    return _of_subject(subject, "", age - segments.MAX_SEGMENT_AGE, backlog)


class Sweeper:
    """Sweeps periodically. `live` returns the backlogs of this worker's partitions."""

    def __init__(
        self,
        settings: Settings,
        blobs: AsyncBlobs,
        clock: Clock,
        live: Callable[[], Mapping[int, Backlog]],
        eraser: Eraser,
    ) -> None:
        self._blobs = blobs
        self._clock = clock
        self._live = live
        self._eraser = eraser
        self._partitions = settings.partitions
        self._interval_s = settings.sweep_interval_s
        self._upload_age = timedelta(seconds=settings.upload_ttl_s)
        self._cache_age = timedelta(seconds=max(cache_ttl_s(one, settings) for one in job_types()))

    async def run(self, stopping: asyncio.Event) -> None:
        """Sweep until `stopping` is set."""
        wait_s = min(FIRST_AFTER_S, self._interval_s)
        while not await happens_within(stopping, wait_s):
            wait_s = self._interval_s
            try:
                await self._sweep(stopping)
            except BlobStoreError as error:
                log.warning("sweep_ended_early", error=str(error))

    async def _sweep(self, stopping: asyncio.Event) -> None:
        counts: Counter[Reason] = Counter()
        async for page in self._blobs.pages():
            doomed = self._doomed(page)
            self._erase_again({uri for uri, reason in doomed.items() if reason == "erased"})
            await self._blobs.delete([uri for uri, reason in doomed.items() if reason != "erased"])
            counts.update(doomed.values())
            for entry in page:
                counts.update(await self._sweep_segment(entry))
            if await happens_within(stopping, PAUSE_S):
                break
        for reason, count in counts.items():
            metrics.SWEPT_BLOBS.labels(reason).inc(count)
        log.info("blob_store_swept", deleted=dict(counts))

    async def _sweep_segment(self, entry: BlobEntry) -> list[Reason]:
        """Erase from a segment the entries that belong to no known job, and delete it once it is empty."""
        begun, now = segments.created_at(entry.uri), self._clock()
        if begun is None or now - begun < segments.CLOSED_AFTER or now - entry.written_at > ORPHANED_BEFORE:
            return []
        try:
            lines = await self._blobs.lines(entry.uri)
        except BlobMissingError:
            return []  # another worker deleted it first
        judged = {line.range.uri: of_line(line.subject, now - begun, self._backlog_of(line.subject)) for line in lines}
        doomed = {uri: reason for uri, reason in judged.items() if reason is not None}
        await self._blobs.delete(doomed)
        if len(doomed) == len(lines):
            await self._blobs.delete([entry.uri])
        return list(doomed.values())

    def _doomed(self, page: Sequence[BlobEntry]) -> dict[str, Reason]:
        now, ages = self._clock(), self._ages()
        judged = ((entry.uri, condemned(entry, now, ages, self._backlog_of)) for entry in page)
        return {uri: reason for uri, reason in judged if reason is not None}

    def _erase_again(self, uris: set[str]) -> None:
        """Repeat erasures: the eraser knows the blobs of a job outside its folder."""
        for subject in {uri.partition("/")[0] for uri in uris}:
            backlog = self._backlog_of(subject)
            if backlog is not None and subject in backlog.erased:
                self._eraser.erase(subject, backlog)

    def _backlog_of(self, subject: str) -> Backlog | None:
        return self._live().get(partition_of(subject, self._partitions))

    def _ages(self) -> Ages:
        backlogs = self._live()
        if 0 not in backlogs:
            return Ages(None, None)
        opened = [job.created_at for backlog in backlogs.values() for job in backlog.jobs.values()]
        waited_for = bool(opened) and self._clock() - min(opened) > self._upload_age
        return Ages(None if waited_for else self._upload_age, self._cache_age)
