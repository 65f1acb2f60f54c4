"""Deletes content of documents and folders that no fact names: of requests and runs that ended before their facts.

That content is unnamed is decided by the log, never by the time of a blob: its id has no record from the beginning of
the log to its end now, in sweeps over `SETTLED_S`, while its blobs did not change. That is longer than any run and any
request take from their blobs to their facts. If much content is unnamed, this is probably another log or another
store: nothing is deleted.
"""

import asyncio
import contextlib
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

import structlog

from piperoll.clock import happens_within
from piperoll.log.contract import LogView
from piperoll.log.record import partition_of
from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs
from schemas.topics import DOCUMENT_EVENTS
from services.worker import metrics

log = structlog.get_logger()

SETTLED_S = 48 * 3600.0
MOST = 50  # documents and folders that a sweep may delete whatever their share is
MOST_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class UnnamedBlobs:
    """The blobs of an id that no fact names: their number and the newest time, compared for equality only."""

    count: int
    newest: datetime


class UnnamedContent:
    """Sweeps the content of a worker's partitions; `mine` returns these."""

    def __init__(
        self, blobs: AsyncBlobs, history: LogView, partitions: int, mine: Callable[[], Collection[int]]
    ) -> None:
        self._blobs = blobs
        self._history = history
        self._partitions = partitions
        self._mine = mine
        self._seen: dict[str, tuple[float, UnnamedBlobs]] = {}

    async def run(self, interval_s: float, stopping: asyncio.Event) -> None:
        """Sweep every `interval_s` until `stopping` is set."""
        while not await happens_within(stopping, interval_s):
            try:
                await self.sweep()
            except Exception as error:  # noqa: BLE001 - the next sweep is the repeat; removals must go on
                log.warning("unnamed_content_not_swept", error=repr(error))

    async def sweep(self) -> None:
        """Delete what has been unnamed for long enough. Raises BlobStoreError, and what the log raises."""
        parts = set(self._mine())
        named = await self._named(parts)
        if named is None:
            return
        found, total = await self._unnamed(parts, named)
        now = asyncio.get_running_loop().time()
        self._seen = {subject: self._sighting(subject, traces, now) for subject, traces in found.items()}
        due = [subject for subject, (since, _) in self._seen.items() if now - since >= SETTLED_S]
        if _too_many(len(due), total):
            log.error("unnamed_content_kept", unnamed=len(due), of=total, why="is this the log of this store?")
            return
        for subject in due:
            if parts <= set(self._mine()):
                count = await self._blobs.delete_folder(documents.content_of(subject))
                metrics.SWEPT_BLOBS.labels("unnamed").inc(count)
                log.info("unnamed_content_deleted", subject=subject, blobs=count)

    def _sighting(self, subject: str, traces: UnnamedBlobs, now: float) -> tuple[float, UnnamedBlobs]:
        since, before = self._seen.get(subject, (now, traces))
        return (since, before) if before == traces else (now, traces)

    async def _named(self, parts: Collection[int]) -> "array[int] | None":
        """The hashes of all ids in the log, sorted; None if its oldest records are gone."""
        begins = await self._history.begin_offsets(DOCUMENT_EVENTS)
        ends = await self._history.end_offsets(DOCUMENT_EVENTS)
        if any(begins[part] for part in parts):
            log.error("unnamed_content_kept", why="the oldest facts of documents were deleted from the log")
            return None
        hashes = array("Q")
        scan = self._history.scan(DOCUMENT_EVENTS, dict.fromkeys(parts, 0), {part: ends[part] for part in parts})
        async with contextlib.aclosing(scan) as batches:
            async for records in batches:
                hashes.extend({_hash(record.key) for record in records if record.key})
                await asyncio.sleep(0)
        return await asyncio.to_thread(lambda: array("Q", sorted(hashes)))

    async def _unnamed(self, parts: Collection[int], named: "array[int]") -> tuple[dict[str, UnnamedBlobs], int]:
        """The blobs without a fact, by id, and the number of ids that have blobs."""
        times: dict[str, list[datetime]] = defaultdict(list)
        total, last = 0, ""
        for folder in (documents.FOLDER, documents.FOLDERS):
            async for page in self._blobs.pages(folder):
                for entry in page:
                    subject = entry.uri.split("/")[1]
                    mine = partition_of(subject, self._partitions) in parts
                    total += mine and subject != last
                    last = subject
                    if mine and not _contains(named, _hash(subject.encode())):
                        times[subject].append(entry.written_at)
        return {subject: UnnamedBlobs(len(one), max(one)) for subject, one in times.items()}, total


def _too_many(due: int, total: int) -> bool:
    """Whether so many of all are more than what interrupted requests leave."""
    return due > max(MOST, MOST_SHARE * total) or 2 * due > total


def _hash(key: bytes) -> int:
    """64 bits of an id: two equal ones keep content, and delete none."""
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big")


def _contains(hashes: "array[int]", one: int) -> bool:
    place = bisect_left(hashes, one)
    return place < len(hashes) and hashes[place] == one
