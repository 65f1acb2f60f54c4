"""How long a job waits for a worker: the jobs before it, and how fast such jobs end here. Pure.

Owners share the slots (piperoll.domain.scheduler), so of another owner about as many jobs go before as of the job's own
one. Priorities and retries that are not due yet are left out.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class WaitingJobs:
    """How many jobs of an owner and a type wait, and when the `first` and the `last` of them was created."""

    owner: str
    job_type: str
    number: int
    first: datetime
    last: datetime

    def created_by(self, time: datetime | None) -> float:
        """Return how many of the waiting ones were created by a time, as if they came evenly; None: all."""
        if time is None or time >= self.last:
            return self.number
        if time < self.first:
            return 0
        return self.number * ((time - self.first) / (self.last - self.first))


Before = Mapping[str, float]
"""By job type: how many jobs go before a job."""


def jobs_before(waiting: Sequence[WaitingJobs], owner: str, created_at: datetime | None) -> Before:
    """Return the jobs that go before one of an owner: those that it created by that time, and some of other owners.

    Without a time it is now. A job that waits itself is among them.
    """
    before: defaultdict[str, float] = defaultdict(float)
    others: defaultdict[str, list[WaitingJobs]] = defaultdict(list)
    for one in waiting:
        if one.owner == owner:
            before[one.job_type] += one.created_by(created_at)
        else:
            others[one.owner].append(one)
    own = sum(before.values())
    for theirs in others.values():
        total = sum(one.number for one in theirs)
        for one in theirs:
            before[one.job_type] += one.number * min(1.0, own / total)
    return {name: count for name, count in before.items() if count > 0}


def wait_s(before: Before, slots: int, means: Mapping[str, float | None]) -> float | None:
    """Return the seconds until `slots` have done the jobs before; None if a type among them was not measured."""
    total = 0.0
    for job_type, count in before.items():
        mean = means.get(job_type)
        if mean is None:
            return None
        total += count * mean
    return total / max(1, slots)
