"""The facts of one run, each appended after the previous one was acknowledged. Only `flush` waits for that."""

import asyncio

import structlog

from piperoll.clock import Clock
from piperoll.log.contract import Appender
from schemas.envelope import Fact
from schemas.events import Event
from schemas.topics import JOB_EVENTS
from services.worker.manager.facts import worker_fact

log = structlog.get_logger()


class Journal:
    """The facts of one run of a job. Their ids are derived from the run, so a repeat is recognised."""

    def __init__(self, appender: Appender, clock: Clock, job_id: str, owner: str, run: str) -> None:
        self._appender = appender
        self._clock = clock
        self._job_id = job_id
        self._owner = owner
        self._run = run
        self._last: asyncio.Task[None] | None = None

    def write(self, data: Event, sequence: int = 0) -> None:
        """Append a fact after the previous ones, without waiting."""
        fact = worker_fact(self._job_id, self._owner, data, self._run, self._clock(), sequence)
        self._last = asyncio.create_task(self._append_after(self._last, fact))
        self._last.add_done_callback(_note_refusal)

    async def flush(self) -> None:
        """Wait until all facts are acknowledged. Raises AppendError when the log refused a fact."""
        if self._last is not None:
            await asyncio.shield(self._last)

    async def _append_after(self, before: asyncio.Task[None] | None, fact: Fact) -> None:
        if before is not None:
            await before
        await self._appender.append(JOB_EVENTS, fact)


def _note_refusal(task: "asyncio.Task[None]") -> None:
    """A refused fact is raised by `flush`, which is not called for a killed run."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("fact_not_appended", error=repr(error))
