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
        self._fronts: dict[str, list[tuple[Rank, str]]] = defaultdict(list)  # by owner: the first entry of each lane
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
            self._queue(job)
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
        for owner in list(self._fronts):
            at_work = running.owners[owner]
            if (free <= reserved and at_work) or (most is not None and at_work >= most):
                continue
            next_one = self._next_of(owner, running, now)
            if next_one is not None and (best is None or (at_work, *next_one) < best):
                best = (at_work, *next_one)
        if best is None:
            return None
        _, _, top, lane = best
        heapq.heappop(self._lanes[lane])
        if self._lanes[lane]:
            heapq.heappush(self._fronts[lane[0]], (self._lanes[lane][0], lane[1]))
        else:
            del self._lanes[lane]
        self._waited.discard(top[1])
        return self._waiting.pop(top[1])

    def starves(self, running: Running, now: datetime) -> bool:
        """Whether a job may run now whose owner has none running."""
        self._release_due(now)
        self._release_held(running, now)
        idle = [owner for owner in self._fronts if not running.owners[owner]]
        return any(self._next_of(owner, running, now) is not None for owner in idle)

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
            self._queue(self._waiting[job_id])

    def _queue(self, job: Job) -> None:
        """Add a job that may run now to its lane, and the lane to its owner's front if the job is its next one."""
        owner, user = lane = lane_of(job)
        heapq.heappush(self._lanes[lane], rank(job))
        if self._lanes[lane][0] == rank(job):
            heapq.heappush(self._fronts[owner], (rank(job), user))

    def _next_of(self, owner: str, running: Running, now: datetime) -> tuple[int, Rank, Lane] | None:
        """The next job of an owner: of the users with the fewest running jobs the first one.

        Users without running jobs are found at the front, however many there are. Those with some are passed over:
        at most as many as there are slots.
        """
        front, busy, found = self._fronts[owner], dict[str, Rank](), None
        while front and found is None:
            expected, user = heapq.heappop(front)
            lane = owner, user
            first = next(iter(self._lanes.get(lane, ())), None)
            top = None if first is None else self._top(lane, running, now)
            if top is None or user in busy:
                continue
            if top != first:
                heapq.heappush(front, (top, user))  # the first entries were outdated or are held back
            elif top != expected:
                continue  # an outdated entry of the front: that of the lane's first one is there too
            elif running.lanes[lane]:
                busy[user] = top
            else:
                found = 0, top, lane
                heapq.heappush(front, (top, user))
        for user, top in busy.items():
            heapq.heappush(front, (top, user))
        if not front:
            del self._fronts[owner]
        if found is not None or not busy:
            return found
        return min((running.lanes[owner, user], top, (owner, user)) for user, top in busy.items())

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
                self._queue(self._waiting[job_id])
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
