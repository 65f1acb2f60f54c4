"""The log's own time, and whether partitions are read to an end that was fetched a moment ago."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from piperoll.domain.backlog import Backlog
from piperoll.log.contract import LogView
from schemas.topics import JOB_EVENTS
from services.worker.cleanup.sweep.knowledge import Knowledge
from services.worker.cleanup.sweep.lookup import BROKER_DEADLINE_S

FRESH_S = 120.0


class LogTime:
    """A lower bound of the broker's clock: the newest append time that was read, plus the time since it was read.

    It does not depend on this machine's clock, which may jump; a suspended machine counts too little.
    """

    def __init__(self) -> None:
        self._ahead: float | None = None

    async def update(self, log: LogView, ends: Mapping[int, int]) -> None:
        """Read the last record of each partition. Raises what the log raises."""
        last = {part: end - 1 for part, end in ends.items() if end > 0}
        records = await log.read_range(JOB_EVENTS, last, {part: offset + 1 for part, offset in last.items()})
        self.saw(record.timestamp_ms for record in records)

    def saw(self, timestamps_ms: Iterable[int]) -> None:
        """Take the append times of records that were just read."""
        now = _monotonic()
        found = [stamp / 1000 - now for stamp in timestamps_ms]
        if self._ahead is not None:
            found.append(self._ahead)
        self._ahead = max(found, default=None)

    def now(self) -> datetime | None:
        """The log's time; None while no record was seen."""
        if self._ahead is None:
            return None
        return datetime.fromtimestamp(0, UTC) + timedelta(seconds=self._ahead + _monotonic())


class FreshEnds:
    """Confirms that partitions are folded up to ends that were fetched within the last FRESH_S.

    A worker that is cut off from the log, or was stopped for hours, does not know what others have appended since.
    """

    def __init__(self, log: LogView, knowledge: Knowledge) -> None:
        self._log = log
        self._knowledge = knowledge
        self._confirmed: dict[int, tuple[float, Backlog]] = {}
        self.ends: dict[int, int] = {}

    async def fetch(self) -> dict[int, int]:
        """Fetch the ends of all partitions. Raises TimeoutError and what the log raises."""
        async with asyncio.timeout(BROKER_DEADLINE_S):
            self.ends = await self._log.end_offsets(JOB_EVENTS)
        return self.ends

    def forget(self) -> None:
        """Drop all confirmations, so that the next ones are of this moment."""
        self._confirmed.clear()

    async def confirm(self, partitions: Iterable[int]) -> dict[int, Backlog]:
        """Return the backlogs of those that are this process's and folded up to a fresh end. Raises as `fetch`."""
        wanted = set(partitions)
        if any(not self._is_fresh(part) for part in wanted):
            began = _monotonic()
            ends = await self.fetch()
            reached = await self._knowledge.reach({part: ends[part] for part in wanted if part in ends})
            backlogs = self._knowledge.backlogs()
            for part in wanted & reached & backlogs.keys():
                self._confirmed[part] = (began, backlogs[part])
        backlogs = self._knowledge.backlogs()
        return {part: backlogs[part] for part in wanted if self._is_fresh(part)}

    def _is_fresh(self, part: int) -> bool:
        """Whether the last confirmation is of a moment ago, and of the backlog that the partition has now."""
        at, backlog = self._confirmed.get(part, (float("-inf"), None))
        return backlog is not None and backlog is self._knowledge.backlogs().get(part) and _monotonic() - at < FRESH_S


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
