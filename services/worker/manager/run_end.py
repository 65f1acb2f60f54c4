"""The facts of a run's end (completed, a retry, or failed) and of its progress."""

import asyncio
import random
from typing import Literal, cast

import structlog
from pydantic_core import to_json

from piperoll.clock import Clock
from piperoll.domain.job import Job
from piperoll.domain.run_retry import JITTER, Backoff, earlier_failures, is_charged, may_retry
from piperoll.domain.thinning import PACE_S, Thinning
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, BlobStoreError
from schemas.claims import Claim
from schemas.errors import SENTENCES, ErrorCode
from schemas.events import Event, JobCompleted, JobFailed, JobProgress, JobReleased, JobRetryScheduled
from schemas.pages import PageRecords
from services.worker import metrics
from services.worker.children.protocol import Completed, Failed, Outcome, RunProgress
from services.worker.manager.journal import Journal

log = structlog.get_logger()


class ProgressWriter:
    """Turns a run's progress into few facts: none before PACE_S, except the first one of a job with a webhook."""

    def __init__(self, journal: Journal, run: str, has_webhook: bool) -> None:
        self._journal = journal
        self._run = run
        self._loop = asyncio.get_running_loop()
        self._thinning = Thinning(due=0.0 if has_webhook else self._loop.time() + PACE_S)
        self._timer: asyncio.TimerHandle | None = None
        self._page_records: PageRecords | None = None

    def report(self, progress: RunProgress) -> None:
        """Append the progress if it is worth a fact (piperoll.domain.thinning); before PACE_S the newest one waits."""
        self.close()
        if self._loop.time() >= self._thinning.due:
            self._append(progress)
        else:
            self._timer = self._loop.call_at(self._thinning.due, self._append, progress)

    def close(self) -> None:
        """Drop waiting progress: the run has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _append(self, progress: RunProgress) -> None:
        records, now = progress.page_records, self._loop.time()
        if not self._thinning.admit(progress.step, progress.percent, now, progress.page, records is not None):
            return
        number = self._thinning.count
        news = records if records != self._page_records else None
        self._page_records = records
        self._journal.write(
            JobProgress(
                run=self._run,
                sequence=number,
                step=progress.step,
                percent=progress.percent,
                page=progress.page,
                pages=progress.pages,
                page_records=news,
            ),
            sequence=number,
        )


class Verdicts:
    """Turns outcomes into facts by the job's limits."""

    def __init__(self, settings: Settings, blobs: AsyncBlobs, clock: Clock, chances: random.Random) -> None:
        self._blobs = blobs
        self._clock = clock
        self._chances = chances
        self._backoff = Backoff(settings.retry_base_s, settings.retry_cap_s)

    async def judge(self, job: Job, run: str, outcome: Outcome) -> Event:
        """The fact that ends the run. Stores the details of a failure; if that fails, the fact has only the code."""
        metrics.ATTEMPTS.labels(job.job_type, outcome.outcome).inc()
        metrics.DURATION.labels(job.job_type).observe(outcome.duration_ms / 1000)
        if isinstance(outcome, Completed):
            return _completed(run, outcome)
        details = await self._store_details(job, run, outcome)
        log.info("attempt_failed", job_id=job.job_id, run=run, code=outcome.code, error=outcome.message)
        charged = is_charged(job, outcome.own_fault, self._clock())
        if may_retry(job, outcome.retryable, charged):
            delay = self._delay(earlier_failures(job, charged), outcome)
            return JobRetryScheduled(
                run=run, error_code=outcome.code, delay_s=round(delay, 3), details=details, charged=charged
            )
        return JobFailed(run=run, error_code=outcome.code, details=details, duration_ms=outcome.duration_ms)

    def _delay(self, earlier: int, outcome: Failed) -> float:
        """The backoff, or the longer wait that the server requested, up to the backoff's cap; with jitter."""
        chance = self._chances.random()
        asked = min(outcome.retry_after_s or 0.0, self._backoff.cap)
        return max(self._backoff.delay(earlier, chance), asked * (1 + JITTER * chance))

    @staticmethod
    def lost(job: Job) -> Failed:
        """The failure of a job that lost its worker too often."""
        return Failed(
            code=ErrorCode.WORKER_LOST,
            message=f"{SENTENCES[ErrorCode.WORKER_LOST]} It was started {job.attempt} times.",
            error_type="WorkerLost",
            retryable=False,
            duration_ms=0,
        )

    @staticmethod
    def released(run: str, reason: str) -> JobReleased:
        """The fact of a worker that returns a run unfinished."""
        return JobReleased(run=run, reason=cast(Literal["drain", "rebalance"], reason))

    async def _store_details(self, job: Job, run: str, outcome: Failed) -> Claim | None:
        body = {
            "code": outcome.code,
            "message": outcome.message,
            "details": {"error_type": outcome.error_type, "duration_ms": outcome.duration_ms},
        }
        try:
            return await self._blobs.put(f"{job.job_id}/{run}", to_json(body))
        except BlobStoreError as error:
            log.warning("details_not_stored", job_id=job.job_id, run=run, error=str(error))
            return None


def _completed(run: str, outcome: Completed) -> JobCompleted:
    return JobCompleted(
        run=run,
        result=outcome.result,
        assets=outcome.assets,
        pages=outcome.pages,
        bytes_in=outcome.bytes_in,
        duration_ms=outcome.duration_ms,
        from_cache=outcome.from_cache,
        method=outcome.method,
        counts=outcome.counts,
        index=outcome.index,
    )
