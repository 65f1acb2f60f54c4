"""The states of many jobs, followed by one stream of the owner."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from types import TracebackType
from typing import Self

from piperoll.client import AsyncClient, JobView


class JobStates:
    """Follows all jobs of the owner while it is open; jobs that are of interest are waited for by their ids.

    `show` is called with each new state. A state of the stream has neither parameters nor results.
    """

    def __init__(self, client: AsyncClient, show: Callable[[JobView], None]) -> None:
        self._client = client
        self._show = show
        self._latest: dict[str, JobView] = {}
        self._changed = asyncio.Condition()
        self._opened = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._reading = asyncio.create_task(self._read())
        opened = asyncio.create_task(self._opened.wait())
        await asyncio.wait([self._reading, opened], return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        if self._reading.done():
            self._reading.result()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def ended(self, job_id: str) -> JobView:
        """Return the whole job when it has ended. Raises PiperollError."""
        job = await self._client.jobs.get(job_id)
        if not job.ended:
            self._show(job)
            async with self._changed:
                await self._changed.wait_for(lambda: self._has_ended(job_id))
            job = await self._client.jobs.get(job_id)
        self._show(job)
        return job

    def _has_ended(self, job_id: str) -> bool:
        if self._reading is not None and self._reading.done():
            self._reading.result()
        latest = self._latest.get(job_id)
        return latest is not None and (latest.ended or latest.deleted)

    async def _read(self) -> None:
        try:
            async with aclosing(self._client.stream()) as events:
                async for event in events:
                    self._opened.set()
                    if event.job is not None:
                        self._latest[event.job.job_id] = event.job
                        self._show(event.job)
                        await self._wake()
        finally:
            await self._wake()  # who waits sees why it ended

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()
