"""How long a job waits for a worker: the jobs before it, and how fast such jobs end here. Pure.

Owners share the slots (piperoll.domain.scheduler), so of another owner about as many jobs go before as of the job's own
one. Priorities and retries that are not due yet are left out.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OpenJobs:
    """How many jobs of an owner and a type wait, and how many run; when the `first` and the `last` of
    those that wait was created."""

    owner: str
    job_type: str
    waiting: int
    running: int
    first: datetime | None = None
    last: datetime | None = None

    def created_by(self, time: datetime | None) -> float:
        """Return how many of the waiting ones were created by a time, as if they came evenly; None: all."""
        if self.first is None or self.last is None or time is None or time >= self.last:
            return self.waiting
        if time < self.first:
            return 0
        return self.waiting * ((time - self.first) / (self.last - self.first))


Before = Mapping[str, float]
"""By job type: how many jobs go before a job."""


def jobs_before(open_jobs: Sequence[OpenJobs], owner: str, created_at: datetime | None) -> Before:
    """Return the jobs that go before one of an owner: those that it created by that time, None: by now, and some of others.

    A job that waits itself is among them.
    """
    before: defaultdict[str, float] = defaultdict(float)
    others: defaultdict[str, list[OpenJobs]] = defaultdict(list)
    for one in open_jobs:
        if one.owner == owner:
            before[one.job_type] += one.created_by(created_at)
        elif one.waiting:
            others[one.owner].append(one)
    own = sum(before.values())
    for theirs in others.values():
        waiting = sum(one.waiting for one in theirs)
        for one in theirs:
            before[one.job_type] += one.waiting * min(1.0, own / waiting)
    return {name: count for name, count in before.items() if count > 0}


def running(open_jobs: Sequence[OpenJobs]) -> int:
    """Return how many jobs run, of all owners."""
    return sum(one.running for one in open_jobs)


def wait_s(before: Before, slots: int, means: Mapping[str, float | None]) -> float | None:
    """Return the seconds until `slots` have done the jobs before; None if a type among them was not measured."""
    total = 0.0
    for job_type, count in before.items():
        mean = means.get(job_type)
        if mean is None:
            return None
        total += count * mean
    return total / max(1, slots)
