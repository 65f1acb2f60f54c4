"""Searches the log for jobs and batches that may use an upload. What was read once is not read again for the same ids.

A job uses its uploads until it is erased, a batch until it is expanded or erased: these facts are final, so all others
are asked for again, in what was appended since.
"""

import asyncio
import contextlib
from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from piperoll.log.contract import LogView
from piperoll.log.parking import decode_accounted
from piperoll.log.record import Record, partition_of
from schemas.events import BatchErased, BatchExpanded, JobErased
from schemas.topics import JOB_EVENTS

FINAL = {one.type_name() for one in (JobErased, BatchErased, BatchExpanded)}
"""After these facts a job or batch uses nothing."""
REMEMBERED = 10_000  # ids beside those of the last question; one that is forgotten is searched from the beginning again


class Use(Enum):
    """What the log has of a job or batch: no record, records, or a fact after which it uses nothing."""

    UNKNOWN = auto()
    IN_USE = auto()
    OVER = auto()


@dataclass(frozen=True, slots=True)
class _Read:
    """The use of an id by the records up to an offset of its partition, exclusive."""

    use: Use = Use.UNKNOWN
    end: int = 0


class UseSearch:
    """Judges by the whole log, up to ends that are fetched for each question."""

    def __init__(self, history: LogView, partitions: int) -> None:
        self._history = history
        self._partitions = partitions
        self._read: dict[str, _Read] = {}
        self._one_at_a_time = asyncio.Lock()

    async def judge(self, subjects: Collection[str]) -> Mapping[str, Use]:
        """Return the use of each job or batch at present, or of some that are in use. Raises what the log raises.

        Those that were in use before are asked for first: one that still is decides, without a search for the others.
        In a partition that lost its oldest records everything is in use: what is missing there proves nothing.
        """
        async with self._one_at_a_time:  # of jobs that are erased together, the first search finds all
            asked = {one: partition_of(one, self._partitions) for one in subjects}
            begins = await self._history.begin_offsets(JOB_EVENTS)
            ends = await self._history.end_offsets(JOB_EVENTS)
            if unproven := {one for one, part in asked.items() if begins[part] != 0}:
                return dict.fromkeys(unproven, Use.IN_USE)
            await self._scan(self._in_use(asked), asked, ends)
            if still := self._in_use(asked):
                return dict.fromkeys(still, Use.IN_USE)
            known = {one: self._read.get(one, _Read()) for one in asked}
            await self._scan({one: read for one, read in known.items() if read.use is not Use.OVER}, asked, ends)
            self._forget(asked)
            return {one: self._read[one].use for one in asked}

    def _in_use(self, asked: Collection[str]) -> Mapping[str, _Read]:
        known = {one: self._read.get(one) for one in asked}
        return {one: read for one, read in known.items() if read is not None and read.use is Use.IN_USE}

    def _forget(self, asked: Container[str]) -> None:
        """Drop the oldest ids beyond the bound, but none of this question: it may be asked again soon."""
        others = [one for one in self._read if one not in asked]
        for oldest in others[: max(0, len(self._read) - REMEMBERED)]:
            del self._read[oldest]

    async def _scan(self, known: Mapping[str, _Read], parts: Mapping[str, int], ends: Mapping[int, int]) -> None:
        """Read on for ids that are not over, and remember the result."""
        begin: dict[int, int] = {}
        for one, read in known.items():
            begin[parts[one]] = min(read.end, begin.get(parts[one], read.end))
        begin = {part: offset for part, offset in begin.items() if offset < ends[part]}
        wanted = {one.encode(): one for one in known}
        uses = {one: read.use for one, read in known.items()}
        scan = self._history.scan(JOB_EVENTS, begin, {part: ends[part] for part in begin})
        async with contextlib.aclosing(scan) as batches:
            async for records in batches:
                for record in records:
                    subject = wanted.get(record.key or b"")
                    if subject is not None and uses[subject] is not Use.OVER:
                        uses[subject] = Use.OVER if _is_final(record) else Use.IN_USE
                await asyncio.sleep(0)
        for one, use in uses.items():
            self._read.pop(one, None)  # so that the newest come last
            self._read[one] = _Read(use, ends[parts[one]])


def _is_final(record: Record) -> bool:
    """Whether a record is an end of uses that every reader admits."""
    return record.ce_type in FINAL and decode_accounted(record).fact is not None
