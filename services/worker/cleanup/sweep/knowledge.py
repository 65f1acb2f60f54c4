"""The folded partitions by which a sweep decides: those of a worker's reader, or of a scan of the whole log."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from piperoll.domain.backlog import Backlog
from piperoll.log.contract import LogView
from piperoll.log.parking import Decoded, Parking
from piperoll.log.stops import SkippedRecords
from schemas.events import BATCH_EVENTS
from schemas.topics import JOB_EVENTS

REACH_S = 20.0  # for the reader to fold what was just appended
REACH_PAUSE_S = 0.2


class Knowledge(Protocol):
    """The folded partitions by which a sweep decides."""

    def backlogs(self) -> Mapping[int, Backlog]:
        """The backlogs of the partitions that this process has, without those that are being replayed."""
        ...

    async def reach(self, ends: Mapping[int, int]) -> set[int]:
        """Return which of these partitions are folded up to their ends, after waiting for them for a while."""
        ...


class WorkerKnowledge:
    """The partitions of a worker: its reader folds the log; nothing is read here."""

    def __init__(
        self, backlogs: Callable[[], Mapping[int, Backlog]], positions: Callable[[], Mapping[int, int]]
    ) -> None:
        self._backlogs = backlogs
        self._positions = positions

    def backlogs(self) -> Mapping[int, Backlog]:
        """See Knowledge.backlogs."""
        return self._backlogs()

    async def reach(self, ends: Mapping[int, int]) -> set[int]:
        """See Knowledge.reach."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + REACH_S
        while True:
            positions = self._positions()
            reached = {part for part, end in ends.items() if positions.get(part, -1) >= end}
            if len(reached) == len(ends) or loop.time() > deadline:
                return reached
            await asyncio.sleep(REACH_PAUSE_S)


class ScannedKnowledge:
    """All partitions, for a process without a reader: it scans the log, once and then what was appended since."""

    def __init__(self, log: LogView, partitions: Iterable[int], skipped: SkippedRecords) -> None:
        self._log = log
        self._skipped = skipped
        self._backlogs = {part: Backlog() for part in partitions}
        self._positions = dict.fromkeys(self._backlogs, 0)

    def backlogs(self) -> Mapping[int, Backlog]:
        """See Knowledge.backlogs."""
        return self._backlogs

    async def reach(self, ends: Mapping[int, int]) -> set[int]:
        """See Knowledge.reach. Raises UnknownEventError, and what the log raises."""
        scan = self._log.scan(JOB_EVENTS, {part: self._positions[part] for part in ends}, dict(ends))
        async with contextlib.aclosing(scan) as batches:
            async for records in batches:
                for record in records:
                    _fold(self._backlogs[record.partition], await self._skipped.decode(record))
                if records:
                    backlog = self._backlogs[records[-1].partition]
                    backlog.forget_ended(records[-1].appended_at)
                    backlog.forget_erased(records[-1].appended_at)
        self._positions.update(ends)
        return set(ends)


def _fold(backlog: Backlog, entry: Decoded) -> None:
    parking = Parking(backlog.parked)
    fact = parking.admit(entry)
    parking.update(backlog.parked)
    if fact is None:
        return
    if isinstance(fact.data, BATCH_EVENTS):
        backlog.fold_batch(fact)
    else:
        backlog.fold_job(fact)
