"""Reads what is measured of jobs, and remembers it for seconds, so that requests about open jobs cost no query each."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import asyncpg

from piperoll.clock import Clock
from piperoll.domain.job import CODEC, Job
from piperoll.job_types import job_types
from piperoll.postgres import load_queries
from services.api.http.database import bounded_query, for_all_owners
from services.api.http.errors import ReadModelUnavailableError
from services.api.outlook.durations import Sample
from services.api.outlook.queue import WaitingJobs
from services.api.outlook.views import Outlook

NEWEST: Final = 200
"""Completed jobs of a type that are measured."""
MOST_RUNNING: Final = 100
"""Running jobs of an owner and a type that are looked at."""
SAMPLES_S: Final = 10.0
OPEN_S: Final = 2.0
"""For how many seconds what was read is used."""
_QUERIES: Final = load_queries("services.api.outlook", "outlook.sql")

T = TypeVar("T")


class _Remembered(Generic[T]):
    """A value that is read again when it is older than `lasts_s`. While that fails or goes on, the former one stands.

    It is read outside the turns of the owner that asks for it, since all owners share it.
    """

    def __init__(self, read: Callable[[], Awaitable[T]], first: T, lasts_s: float) -> None:
        self._read = read
        self._value = first
        self._lasts_s = lasts_s
        self._until: float | None = None
        self._reading = asyncio.Lock()

    async def value(self) -> T:
        if self._reading.locked() and self._until is not None:
            return self._value
        async with self._reading:
            if self._until is None or time.monotonic() >= self._until:
                # A request that can be answered without it must not fail.
                with suppress(ReadModelUnavailableError), for_all_owners():
                    self._value = await self._read()
                self._until = time.monotonic() + self._lasts_s
            return self._value


@dataclass(frozen=True, slots=True)
class _OpenJobs:
    """The jobs that wait and those that run, and what outlooks computed of them (Outlook.memo)."""

    waiting: tuple[WaitingJobs, ...] = ()
    running: tuple[Job, ...] = ()
    memo: dict[Hashable, Any] = field(default_factory=dict)


class Observer:
    """The present outlook on the jobs of this installation."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, deadline_s: float) -> None:
        self._pool = pool
        self._clock = clock
        self._deadline_s = deadline_s
        self._open: _Remembered[_OpenJobs] = _Remembered(self._open_jobs, _OpenJobs(), OPEN_S)
        self._samples: dict[str, _Remembered[tuple[Sample, ...]]] = {}

    async def outlook(self, also: Collection[str] = ()) -> Outlook:
        """Return the outlook on the open jobs, and on jobs of the types in `also`. Without Postgres it knows less."""
        found = await self._open.value()
        types = {*also, *(one.job_type for one in found.waiting), *(job.job_type for job in found.running)}
        samples = {name: await self._samples_of(name) for name in sorted(types)}
        return Outlook(self._clock(), samples, found.waiting, found.running, found.memo)

    async def _samples_of(self, job_type: str) -> tuple[Sample, ...]:
        if (remembered := self._samples.get(job_type)) is None:
            if job_types().get(job_type) is None:
                return ()  # of a type that was uninstalled; names of requests do not fill the memory
            remembered = _Remembered(lambda: self._completed(job_type), (), SAMPLES_S)
            self._samples[job_type] = remembered
        return await remembered.value()

    async def _completed(self, job_type: str) -> tuple[Sample, ...]:
        async with bounded_query("completed", self._deadline_s):
            rows = await self._pool.fetch(_QUERIES["completed"], job_type, NEWEST)
        return tuple(Sample(max(row["seconds"], 0.0), row["pages"], row["method"], row["files"]) for row in rows)

    async def _open_jobs(self) -> _OpenJobs:
        types = [one.name for one in job_types()]
        async with bounded_query("open_jobs", self._deadline_s):
            waiting = await self._pool.fetch(_QUERIES["waiting"], types)
            running = await self._pool.fetch(_QUERIES["running"], types, MOST_RUNNING)
        return _OpenJobs(
            tuple(WaitingJobs(**dict(row)) for row in waiting),
            tuple(CODEC.validate_json(row["state"]) for row in running),
        )
