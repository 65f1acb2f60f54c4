"""When jobs and batches will end, as far as that is known at one moment. Pure."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

from piperoll.domain.batch import Batch
from piperoll.domain.job import Job, Status
from piperoll.job_types import job_types
from schemas.job_types.page_work import PageWork
from services.api.http.answers import timestamp
from services.api.outlook.durations import Basis, Expected, Sample, expected_of_pages, mean_s
from services.api.outlook.queue import Before, WaitingJobs, jobs_before, wait_s
from services.api.outlook.remaining import by_others, by_pace, since
from services.api.read_model.job_rows import JobRow

Eta = dict[str, Any]
"""`{time, seconds}`: when it will end, and in how many seconds that is."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known at the time `now`: the completed jobs by type, those that wait, and those that run.

    `memo` holds what was computed of them, since a list asks about a thousand jobs.
    """

    now: datetime
    samples: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    waiting: Sequence[WaitingJobs] = ()
    running: Sequence[Job] = ()
    memo: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    def before(self, owner: str, created_at: datetime | None = None) -> Before:
        """Return how many jobs of each type go before one of an owner (jobs_before)."""
        return jobs_before(self.waiting, owner, created_at)

    def wait_s(self, before: Before) -> float | None:
        """Return how long these take; None if that was not measured."""
        return wait_s(before, len(self.running), {job_type: self._mean_s(job_type) for job_type in before})

    def of_job(self, row: JobRow, parameters: Mapping[str, Any] | None = None) -> Eta | None:
        """Return when a job will end; None if that is not known, or has happened.

        `parameters` are the job's as they were sent; without them it is measured by all jobs of its type.
        """
        if row.status.terminal:
            return None
        work = None if parameters is None else job_types().of(row.job_type).page_work(parameters)
        if row.status is Status.PROCESSING and row.job is not None:
            return self._eta(self._left_s(row.job, work))
        return self._eta(self._waiting_s(row, work))

    def of_batch(self, batch: Batch, ended: int, running: int) -> Eta | None:
        """Return when the last job of a batch will end; None as `of_job`."""
        if ended >= batch.count:
            return None
        ends = [self._left_s(job, None) for job in self.running if job.batch_id == batch.batch_id]
        if ended + running < batch.count:
            waits_s, takes_s = self._queue_s(batch.owner, batch.created_at), self._mean_of(batch.owner)
            ends.append(None if waits_s is None or takes_s is None else waits_s + takes_s)
        known = [one for one in ends if one is not None]
        if known and len(known) == len(ends):
            return self._eta(max(known))
        share = ended / batch.count
        return self._eta(by_pace(share, self._ago_s(batch.created_at), None) if share else None)

    def _left_s(self, job: Job, work: PageWork | None) -> float | None:
        found = self._expected(job.job_type, work, job.pages)
        share, ago_s = share_done(job, work), max(0.0, self._ago_s(job.updated_at))
        if job.attempt > 1 or job.started_at is None:  # the time before was of another run
            return None if found.p50 is None else since((1 - share) * found.p50, ago_s)
        elapsed_s = (job.updated_at - job.started_at).total_seconds()
        if share <= 0:
            return by_others(found.seconds, elapsed_s + ago_s)
        return since(by_pace(share, elapsed_s, found.p50, found.basis is Basis.MEASURED), ago_s)

    def _waiting_s(self, row: JobRow, work: PageWork | None) -> float | None:
        pages = row.job.pages if row.job else None
        takes_s = self._expected(row.job_type, work, pages).p50
        waits_s = self._queue_s(row.owner, row.created_at)
        if takes_s is None or waits_s is None:
            return None
        due = row.job.due if row.job else None
        return max(waits_s, -self._ago_s(due)) + takes_s if due else waits_s + takes_s

    def _queue_s(self, owner: str, created_at: datetime) -> float | None:
        """Return how long a waiting job waits: it is itself one of those that were created by then."""
        before = self.before(owner, created_at)
        total = sum(before.values())
        others = {name: count * max(0.0, total - 1) / total for name, count in before.items()}
        return self.wait_s(others)

    def _expected(self, job_type: str, work: PageWork | None, pages: int | None) -> Expected:
        key = (job_type, work, pages)
        if key not in self.memo:
            self.memo[key] = expected_of_pages(self.samples.get(job_type, ()), work, pages)
        found: Expected = self.memo[key]
        return found

    def _mean_s(self, job_type: str) -> float | None:
        """Return the mean time of a job of a type: of those that completed, and as much by those that run now."""
        if job_type not in self.memo:
            running = [self._whole_s(job) for job in self.running if job.job_type == job_type]
            seen = [one for one in running if one is not None]
            means = (mean_s(self.samples.get(job_type, ())), fmean(seen) if seen else None)
            known = [one for one in means if one is not None]
            self.memo[job_type] = fmean(known) if known else None
        mean: float | None = self.memo[job_type]
        return mean

    def _whole_s(self, job: Job) -> float | None:
        """Return how long a running job takes from its start to its end."""
        left_s = self._left_s(job, None)
        return None if left_s is None or job.started_at is None else max(0.0, self._ago_s(job.started_at)) + left_s

    def _mean_of(self, owner: str) -> float | None:
        """Return the mean time of the owner's waiting jobs; None if a type of them was not measured."""
        theirs = [one for one in self.waiting if one.owner == owner]
        means = [self._mean_s(one.job_type) for one in theirs]
        known = [one for one in means if one is not None]
        if not theirs or len(known) < len(means):
            return None
        return fmean(known, weights=[one.number for one in theirs])

    def _ago_s(self, time: datetime) -> float:
        return (self.now - time).total_seconds()

    def _eta(self, seconds: float | None) -> Eta | None:
        if seconds is None:
            return None
        return {"time": timestamp(self.now + timedelta(seconds=seconds)), "seconds": round(seconds, 1)}


def share_done(job: Job, work: PageWork | None) -> float:
    """Return which share of the work that takes the time a job has done, from 0 to 1."""
    begin, end = job_types().of(job.job_type).work_percent
    if work is not None and work.ends_at is not None:
        end = work.ends_at
    return min(max((job.percent - begin) / max(1, end - begin), 0.0), 1.0)
