"""The choice of the next job to run. Pure.

The owner with the fewest running jobs on this worker goes first, within it the user with the fewest, then the higher
priority, then the older job. Priority ages by one step in ten minutes, which needs no clock: comparing `created - 600
s * priority` of two jobs gives the same order at any time.

A job is held back, once, while the same work of its owner runs here: it then takes the cached result if there is one.
It does not delay other jobs, and is held no longer than it may itself run, or HELD_S: the first run may hang.
"""

import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from piperoll.domain.job import Job

AGEING_S = 600.0
HELD_S = 600.0  # most work ends sooner, and a run without progress is ended after that time by default
Rank = tuple[float, str]
Lane = tuple[str, str]
"""An owner and one of its users (empty text: none)."""
Work = tuple[str, str]
"""An owner and the fingerprint of its work (piperoll.domain.work)."""


def lane_of(job: Job) -> Lane:
    """The lane in which a job is counted."""
    return job.owner, job.user_id or ""


def work_of(job: Job) -> Work | None:
    """The work that a job may wait for; None for a job that never waits."""
    return None if job.work_sha256 is None else (job.owner, job.work_sha256)


def rank(job: Job) -> Rank:
    """The sort key of a job, lowest first; ends with the id, so that the order is total."""
    return job.created_at.timestamp() - AGEING_S * job.priority, job.job_id


@dataclass(slots=True)
class Running:
    """The number of jobs that run here, by owner, by lane and by work."""

    owners: Counter[str] = field(default_factory=Counter)
    lanes: Counter[Lane] = field(default_factory=Counter)
    works: Counter[Work] = field(default_factory=Counter)

    def add(self, job: Job) -> None:
        """Count a job that took a slot."""
        self.owners[job.owner] += 1
        self.lanes[lane_of(job)] += 1
        if (work := work_of(job)) is not None:
            self.works[work] += 1

    def remove(self, job: Job) -> None:
        """Subtract a job whose slot is free again."""
        self.owners[job.owner] -= 1
        self.lanes[lane_of(job)] -= 1
        if (work := work_of(job)) is not None:
            self.works[work] -= 1
        # unary plus drops counts of zero
        self.owners, self.lanes, self.works = +self.owners, +self.lanes, +self.works


class Scheduler:
    """The jobs that may run here, at once or from a time on. A job that is put again replaces itself."""

    def __init__(self) -> None:
        self._waiting: dict[str, Job] = {}
        self._lanes: dict[Lane, list[Rank]] = defaultdict(list)
        self._delayed: list[tuple[datetime, str]] = []
        self._not_before: dict[str, datetime] = {}
        self._held: dict[Work, dict[str, datetime]] = defaultdict(dict)  # with the time until which each waits
        self._held_until: datetime | None = None  # the earliest of them, or earlier
        self._waited: set[str] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._waiting

    def put(self, job: Job, not_before: datetime | None = None) -> None:
        """Offer a job, from `not_before` on if given."""
        self.discard(job.job_id)
        self._waiting[job.job_id] = job
        if not_before is None:
            heapq.heappush(self._lanes[lane_of(job)], rank(job))
        else:
            self._not_before[job.job_id] = not_before
            heapq.heappush(self._delayed, (not_before, job.job_id))

    def discard(self, job_id: str) -> None:
        """Remove a job. Its entries in the heaps are skipped when they come up."""
        job = self._waiting.pop(job_id, None)
        self._not_before.pop(job_id, None)
        self._waited.discard(job_id)
        if job is not None:
            self._unhold(job)

    def take(
        self, now: datetime, running: Running, free: int, reserved: int = 0, most: int | None = None
    ) -> Job | None:
        """Remove and return the job to run now.

        The last `reserved` slots are for owners without running jobs; an owner has at most `most` running jobs.
        """
        self._release_due(now)
        self._release_held(running, now)
        best: tuple[int, int, Rank, Lane] | None = None
        for lane in list(self._lanes):
            top = self._top(lane, running, now)
            at_work = running.owners[lane[0]]
            if top is None or (free <= reserved and at_work) or (most is not None and at_work >= most):
                continue
            candidate = (at_work, running.lanes[lane], top, lane)
            if best is None or candidate < best:
                best = candidate
        if best is None:
            return None
        _, _, top, lane = best
        heapq.heappop(self._lanes[lane])
        self._waited.discard(top[1])
        return self._waiting.pop(top[1])

    def starves(self, running: Running, now: datetime) -> bool:
        """Whether a job may run now whose owner has none running."""
        self._release_due(now)
        self._release_held(running, now)
        idle = [lane for lane in self._lanes if not running.owners[lane[0]]]
        return any(self._top(lane, running, now) is not None for lane in idle)

    def next_due(self) -> datetime | None:
        """The time at which the next delayed job may run."""
        while self._delayed and self._not_before.get(self._delayed[0][1]) != self._delayed[0][0]:
            heapq.heappop(self._delayed)
        return self._delayed[0][0] if self._delayed else None

    def oldest(self) -> datetime | None:
        """The creation time of the oldest job that may run now; for the metric `oldest_runnable_age`."""
        times = [job.created_at for job in self._waiting.values() if self._may_run(job)]
        return min(times, default=None)

    def _release_due(self, now: datetime) -> None:
        while (due := self.next_due()) is not None and due <= now:
            _, job_id = heapq.heappop(self._delayed)
            del self._not_before[job_id]
            job = self._waiting[job_id]
            heapq.heappush(self._lanes[lane_of(job)], rank(job))

    def _top(self, lane: Lane, running: Running, now: datetime) -> Rank | None:
        """The first waiting job of a lane. Jobs to hold back are set aside, empty lanes removed."""
        heap = self._lanes[lane]
        while heap:
            job = self._waiting.get(heap[0][1])
            if job is not None and rank(job) == heap[0] and self._may_run(job):
                work = work_of(job)
                if work is None or not running.works[work] or job.job_id in self._waited:
                    return heap[0]
                self._hold(work, job, now)
            heapq.heappop(heap)
        del self._lanes[lane]
        return None

    def _may_run(self, job: Job) -> bool:
        work = work_of(job)
        held = work is not None and job.job_id in self._held.get(work, ())
        return not held and job.job_id not in self._not_before

    def _hold(self, work: Work, job: Job, now: datetime) -> None:
        until = now + timedelta(seconds=min(HELD_S, job.timeout_s))
        self._held[work][job.job_id] = until
        self._held_until = until if self._held_until is None else min(until, self._held_until)

    def _release_held(self, running: Running, now: datetime) -> None:
        """Release the jobs that waited for a run that is over, or long enough. They may all run at the same time."""
        overdue = self._held_until is not None and self._held_until <= now
        for work in [work for work in self._held if overdue or not running.works[work]]:
            held = self._held[work]
            for job_id in [name for name, until in held.items() if until <= now or not running.works[work]]:
                del held[job_id]
                self._waited.add(job_id)
                job = self._waiting[job_id]
                heapq.heappush(self._lanes[lane_of(job)], rank(job))
            if not held:
                del self._held[work]
        if overdue:
            self._held_until = min((until for held in self._held.values() for until in held.values()), default=None)

    def _unhold(self, job: Job) -> None:
        work = work_of(job)
        if work is not None and work in self._held:
            self._held[work].pop(job.job_id, None)
            if not self._held[work]:
                del self._held[work]
