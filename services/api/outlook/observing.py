"""Reads what is measured of jobs, and remembers it for seconds, so that requests about open jobs cost no query each."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Final, Generic, TypeVar

import asyncpg

from piperoll.clock import Clock
from piperoll.domain.job import CODEC, Job
from piperoll.job_types import job_types
from piperoll.postgres import load_queries
from services.api.http.database import bounded_query
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
    """A value that is read again when it is older than `lasts_s`. While that fails, the former one stands."""

    def __init__(self, read: Callable[[], Awaitable[T]], first: T, lasts_s: float) -> None:
        self._read = read
        self._value = first
        self._lasts_s = lasts_s
        self._until = -1.0
        self._reading = asyncio.Lock()

    async def value(self) -> T:
        async with self._reading:
            if time.monotonic() >= self._until:
                with suppress(ReadModelUnavailableError):  # a request that can be answered without it must not fail
                    self._value = await self._read()
                self._until = time.monotonic() + self._lasts_s
            return self._value


class Observer:
    """The present outlook on the jobs of this installation."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, deadline_s: float) -> None:
        self._pool = pool
        self._clock = clock
        self._deadline_s = deadline_s
        self._waiting: _Remembered[tuple[WaitingJobs, ...]] = _Remembered(self._read_waiting, (), OPEN_S)
        self._running: _Remembered[tuple[Job, ...]] = _Remembered(self._read_running, (), OPEN_S)
        self._samples: dict[str, _Remembered[tuple[Sample, ...]]] = {}

    async def outlook(self, also: Collection[str] = ()) -> Outlook:
        """Return the outlook on the open jobs, and on jobs of the types in `also`. Without Postgres it knows less."""
        waiting, running = await self._waiting.value(), await self._running.value()
        types = sorted({*also, *(one.job_type for one in waiting), *(job.job_type for job in running)})
        return Outlook(self._clock(), {name: await self._samples_of(name) for name in types}, waiting, running)

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

    async def _read_waiting(self) -> tuple[WaitingJobs, ...]:
        async with bounded_query("waiting", self._deadline_s):
            rows = await self._pool.fetch(_QUERIES["waiting"], _types())
        return tuple(WaitingJobs(**dict(row)) for row in rows)

    async def _read_running(self) -> tuple[Job, ...]:
        async with bounded_query("running", self._deadline_s):
            rows = await self._pool.fetch(_QUERIES["running"], _types(), MOST_RUNNING)
        return tuple(CODEC.validate_json(row["state"]) for row in rows)


def _types() -> list[str]:
    return [one.name for one in job_types()]
