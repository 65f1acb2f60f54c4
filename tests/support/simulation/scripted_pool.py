"""Children that follow a script. Real ones are processes, which no simulation can hold; the interface is theirs."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from piperoll.store.blobs import BlobStoreError
from schemas.claims import Claim
from schemas.errors import ErrorCode
from schemas.pages import PageRecords
from services.worker.children.failures import failure
from services.worker.children.protocol import Assignment, Completed, Failed, Outcome, RunProgress
from tests.support.simulation.store import SimulatedStore


@dataclass(frozen=True, slots=True)
class Script:
    """What the runs of one job do: each takes `seconds`, the first `failures` fail, `fatal` sets how they do.

    `page_checkpoints` is whether the run that completes reports any, `page_records` whether the first run has pages
    that can be read.
    """

    seconds: float = 5.0
    failures: int = 0
    fatal: bool = False
    page_checkpoints: bool = False
    page_records: bool = False


@dataclass(slots=True)
class Stage:
    """What the runs of all workers do, and what they did."""

    scripts: dict[str, Script] = field(default_factory=dict)
    begun: list[tuple[str, str]] = field(default_factory=list)
    finished: Counter[str] = field(default_factory=Counter)

    def runs_of(self, job_id: str) -> list[str]:
        """The runs that a child began for a job, on any worker."""
        return [run for job, run in self.begun if job == job_id]


class ScriptedPool:
    """The part of services.worker.children.pool.ChildPool that the runner uses, for one worker.

    `may_begin` is asked before each run, to judge whether it should have been begun at all. A child that is killed
    ends after `dies_after_s`, and another one takes its place `replaced_after_s` later.
    """

    def __init__(
        self, stage: Stage, size: int, store: SimulatedStore, may_begin: Callable[[str], None] = lambda _: None
    ) -> None:
        self._stage = stage
        self._store = store
        self._size = size
        self._may_begin = may_begin
        self.running: dict[str, str] = {}
        self.most = 0
        self.dies_after_s = 0.0
        self.replaced_after_s = 0.0
        self._replacements: dict[str, asyncio.Task[None]] = {}

    async def run(self, assignment: Assignment, on_progress: Callable[[RunProgress], None]) -> Outcome:
        """Follows the job's script; being cancelled is being killed."""
        job_id, run = assignment.job_id, assignment.run
        assert job_id not in self.running, f"{job_id} runs twice in one worker"
        assert len(self.running) + len(self._replacements) < self._size, "more runs than children"
        self._may_begin(job_id)
        self.running[job_id] = run
        self._stage.begun.append((job_id, run))
        self.most = max(self.most, len(self.running))
        try:
            return await self._play(assignment, self._stage.scripts.get(job_id, Script()), on_progress)
        except asyncio.CancelledError:
            if self.dies_after_s:
                await asyncio.sleep(self.dies_after_s)
            if self.replaced_after_s:
                task = self._replacements[run] = asyncio.create_task(asyncio.sleep(self.replaced_after_s))
                task.add_done_callback(lambda _: self._replacements.pop(run))
            raise
        finally:
            del self.running[job_id]

    def replacement(self, run: str) -> "asyncio.Task[None] | None":
        """As ChildPool.replacement."""
        return self._replacements.get(run)

    async def _play(
        self, assignment: Assignment, script: Script, on_progress: Callable[[RunProgress], None]
    ) -> Outcome:
        first = script.page_records and self._stage.runs_of(assignment.job_id) == [assignment.run]
        records = PageRecords(run=assignment.run, key="0f", count=1, last=9) if first else None
        for percent in (25, 50, 75):
            await asyncio.sleep(script.seconds / 4)
            on_progress(RunProgress(step="extracting_text", percent=percent, page_records=records))
        await asyncio.sleep(script.seconds / 4)
        duration_ms = round(script.seconds * 1000)
        try:
            self._store.require(assignment.job_id)
        except BlobStoreError as error:
            return failure(error, duration_ms)
        self._stage.finished[assignment.job_id] += 1
        if self._stage.finished[assignment.job_id] <= script.failures:
            code = ErrorCode.INVALID_PDF if script.fatal else ErrorCode.PROCESSOR_CRASHED
            return Failed(
                code=code,
                message="As scripted.",
                error_type="Scripted",
                retryable=not script.fatal,
                duration_ms=duration_ms,
            )
        result = Claim(uri=f"{assignment.job_id}/{assignment.run}/result.json", sha256="0" * 64, size=2)
        return Completed(result=result, assets=0, duration_ms=duration_ms, page_checkpoints=script.page_checkpoints)
