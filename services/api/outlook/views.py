"""When jobs and batches will end, as far as that is known at one moment. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from piperoll.domain.batch import Batch
from piperoll.domain.job import Job, Status
from piperoll.job_types import job_types
from schemas.job_types.page_work import PageWork
from services.api.http.answers import timestamp
from services.api.outlook.durations import Basis, Sample, expected_of_pages, mean_s
from services.api.outlook.queue import Before, OpenJobs, jobs_before, running, wait_s
from services.api.outlook.remaining import by_others, by_pace, since
from services.api.read_model.job_rows import JobRow

Eta = dict[str, Any]
"""`{time, seconds}`: when it will end, and in how many seconds that is."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known at the time `now`: the completed jobs by type, and the open ones."""

    now: datetime
    samples: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    open_jobs: Sequence[OpenJobs] = ()

    def before(self, owner: str, created_at: datetime | None = None) -> Before:
        """Return how many jobs of each type go before one of an owner (jobs_before)."""
        return jobs_before(self.open_jobs, owner, created_at)

    def wait_s(self, before: Before) -> float | None:
        """Return how long these take; None if that was not measured."""
        means = {job_type: mean_s(self.samples.get(job_type, ())) for job_type in before}
        return wait_s(before, running(self.open_jobs), means)

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

    def of_batch(self, batch: Batch, ended: int, running_jobs: int) -> Eta | None:
        """Return when the last job of a batch will end; None as `of_job`."""
        if ended >= batch.count:
            return None
        waits_s = self._queue_s(batch.owner, batch.created_at) if ended + running_jobs < batch.count else 0.0
        mean = self._mean_s(batch.owner)
        if waits_s is not None and mean is not None:
            return self._eta(waits_s + mean)
        share = ended / batch.count
        return self._eta(by_pace(share, self._ago_s(batch.created_at), None) if share else None)

    def _left_s(self, job: Job, work: PageWork | None) -> float | None:
        found = expected_of_pages(self.samples.get(job.job_type, ()), work, job.pages)
        share, ago_s = share_done(job, work), self._ago_s(job.updated_at)
        if job.attempt > 1 or job.started_at is None:  # the time before was of another run
            return None if found.p50 is None else since((1 - share) * found.p50, ago_s)
        elapsed_s = (job.updated_at - job.started_at).total_seconds()
        if share <= 0:
            return by_others(found.seconds, elapsed_s + ago_s)
        return since(by_pace(share, elapsed_s, found.p50, found.basis is Basis.MEASURED), ago_s)

    def _waiting_s(self, row: JobRow, work: PageWork | None) -> float | None:
        pages = row.job.pages if row.job else None
        takes_s = expected_of_pages(self.samples.get(row.job_type, ()), work, pages).p50
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

    def _mean_s(self, owner: str) -> float | None:
        """Return the mean time of the owner's open jobs."""
        total, count = 0.0, 0
        for one in self.open_jobs:
            if one.owner == owner:
                mean = mean_s(self.samples.get(one.job_type, ()))
                if mean is None:
                    return None
                total += mean * (one.waiting + one.running)
                count += one.waiting + one.running
        return total / count if count else None

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
    return min(max((job.percent - begin) / (end - begin), 0.0), 1.0)
