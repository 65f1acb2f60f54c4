"""Waits for changes of jobs: all waiters share one query per notification instead of polling."""

import asyncio
from collections import defaultdict
from collections.abc import Callable

from services.api.http.errors import ReadModelUnavailableError
from services.api.read_model.job_rows import Standing
from services.api.read_model.jobs import ReadModel
from services.api.read_model.positions import Positions

DEBOUNCE_S = 0.01  # one query serves the notifications that arrive together
OUTAGE_PAUSE_S = 1.0

Awaited = Callable[[Standing], bool]
"""Returns whether a job's standing is the awaited one."""


class JobWatch:
    """Wakes the waiters of a job when it has the state that they await."""

    def __init__(self, read_model: ReadModel, positions: Positions) -> None:
        self._read_model = read_model
        self._waiting: dict[str, dict[asyncio.Future[None], Awaited]] = defaultdict(dict)
        self._partitions: dict[str, int] = {}
        self._due: set[int] = set()
        self._wake = asyncio.Event()
        self._closed = False
        positions.subscribe(self._advanced)

    @property
    def closed(self) -> bool:
        """Return whether the service stops, so that all waiting must end."""
        return self._closed

    @property
    def waiting(self) -> int:
        """Return the number of jobs with waiters."""
        return len(self._waiting)

    async def until(self, job_id: str, partition: int, awaited: Awaited, timeout_s: float) -> None:
        """Return when the job has the awaited state, after `timeout_s`, or when the service stops."""
        if self._closed:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[job_id][future] = awaited
        self._partitions[job_id] = partition
        self._advanced(partition)  # the job may have changed between the caller's read and this call
        try:
            await asyncio.wait([future], timeout=timeout_s)
        finally:
            self._forget(job_id, future)

    def close(self) -> None:
        """End all waiting, so that requests end before the service does."""
        self._closed = True
        for waiters in self._waiting.values():
            for future in waiters:
                _finish(future)

    async def run(self) -> None:
        """Process notifications until cancelled. During an outage waiters keep waiting, up to their timeout."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(DEBOUNCE_S)
            self._wake.clear()
            due, self._due = self._due, set()
            job_ids = [job_id for job_id, partition in self._partitions.items() if partition in due]
            if not job_ids:
                continue
            try:
                self._wake_waiters(await self._read_model.standings(job_ids))
            except ReadModelUnavailableError:  # logged where it is raised
                await asyncio.sleep(OUTAGE_PAUSE_S)
                self._due |= due
                self._wake.set()

    def _wake_waiters(self, standings: dict[str, Standing]) -> None:
        for job_id, standing in standings.items():
            for future, awaited in self._waiting.get(job_id, {}).items():
                if awaited(standing):
                    _finish(future)

    def _advanced(self, partition: int) -> None:
        self._due.add(partition)
        self._wake.set()

    def _forget(self, job_id: str, future: asyncio.Future[None]) -> None:
        waiters = self._waiting[job_id]
        waiters.pop(future, None)
        if not waiters:
            del self._waiting[job_id]
            self._partitions.pop(job_id, None)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
