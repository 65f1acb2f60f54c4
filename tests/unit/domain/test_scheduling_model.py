"""The scheduler, checked against a list that is searched each time."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from piperoll.domain.job import Job
from piperoll.domain.scheduler import HELD_S, Running, Scheduler, lane_of, rank, work_of
from tests.support.histories.jobs import BEGAN
from tests.support.histories.queued import jobs

SLOTS = 4


def naive_next(waiting: dict[str, Job], running: list[Job], free: int, reserved: int) -> Job | None:
    """The rule of docs/architecture.md#how-a-job-runs, over a plain list."""

    def order(one: Job) -> tuple[object, ...]:
        owner = sum(1 for other in running if other.owner == one.owner)
        user = sum(1 for other in running if lane_of(other) == lane_of(one))
        return owner, user, rank(one), lane_of(one)

    busy = {other.owner for other in running}
    allowed = [one for one in waiting.values() if free > reserved or one.owner not in busy]
    return min(allowed, key=order, default=None)


class NaiveHolding:
    """Who is held back, by lists: each job once, when its turn comes while an equal one runs, for a bounded time."""

    def __init__(self) -> None:
        self.held: dict[str, datetime] = {}
        self.waited: set[str] = set()

    def next(self, waiting: dict[str, Job], running: list[Job], free: int, reserved: int, now: datetime) -> Job | None:
        busy = {work_of(one) for one in running} - {None}
        over = {name for name, until in self.held.items() if until <= now or work_of(waiting[name]) not in busy}
        self.held = {name: until for name, until in self.held.items() if name not in over}
        self.waited |= over
        while True:
            allowed = {name: one for name, one in waiting.items() if name not in self.held}
            first = naive_next(allowed, running, free, reserved)
            if first is None or work_of(first) not in busy or first.job_id in self.waited:
                return first
            self.held[first.job_id] = now + timedelta(seconds=min(HELD_S, first.timeout_s))

    def forget(self, job_id: str) -> None:
        self.held.pop(job_id, None)
        self.waited.discard(job_id)


class SchedulerAgainstAList(RuleBasedStateMachine):
    """Offers, discards, takes and ends, in any order, while time passes."""

    @initialize(reserved=st.integers(0, SLOTS - 1))
    def begin(self, reserved: int) -> None:
        self.scheduler = Scheduler()
        self.running = Running()
        self.now = BEGAN
        self.reserved = reserved
        self.waiting: dict[str, Job] = {}
        self.delayed: dict[str, tuple[Job, float]] = {}
        self.at_work: list[Job] = []
        self.owners: dict[str, tuple[str, str | None, str | None]] = {}
        self.holding = NaiveHolding()

    def own(self, one: Job) -> Job:
        """A job keeps its owner, user and work for ever; the rest may differ when it is offered again."""
        self.holding.forget(one.job_id)
        kept = self.owners.setdefault(one.job_id, (one.owner, one.user_id, one.work_sha256))
        return replace(one, owner=kept[0], user_id=kept[1], work_sha256=kept[2])

    @rule(one=jobs)
    def offer(self, one: Job) -> None:
        one = self.own(one)
        self.delayed.pop(one.job_id, None)
        self.waiting[one.job_id] = one
        self.scheduler.put(one)

    @rule(one=jobs, delay_s=st.integers(-5, 600))
    def offer_later(self, one: Job, delay_s: int) -> None:
        one = self.own(one)
        self.waiting.pop(one.job_id, None)
        due = self.now + timedelta(seconds=delay_s)
        self.delayed[one.job_id] = (one, due.timestamp())
        self.scheduler.put(one, due)

    @rule(one=jobs)
    def discard(self, one: Job) -> None:
        self.holding.forget(one.job_id)
        self.waiting.pop(one.job_id, None)
        self.delayed.pop(one.job_id, None)
        self.scheduler.discard(one.job_id)

    @rule(seconds=st.integers(0, 300))
    def let_time_pass(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: len(self.at_work) < SLOTS)
    @rule()
    def take(self) -> None:
        for name, (one, due) in list(self.delayed.items()):
            if due <= self.now.timestamp():
                self.waiting[name] = one
                del self.delayed[name]
        free = SLOTS - len(self.at_work)
        expected = self.holding.next(self.waiting, self.at_work, free, self.reserved, self.now)
        taken = self.scheduler.take(self.now, self.running, free, self.reserved)
        assert taken == expected
        if taken is not None:
            del self.waiting[taken.job_id]
            self.holding.forget(taken.job_id)
            self.at_work.append(taken)
            self.running.add(taken)

    @precondition(lambda self: self.at_work)
    @rule(place=st.integers(0, SLOTS))
    def end(self, place: int) -> None:
        self.running.remove(self.at_work.pop(place % len(self.at_work)))

    @invariant()
    def no_job_is_lost_or_doubled(self) -> None:
        if hasattr(self, "scheduler"):
            assert len(self.scheduler) == len(self.waiting) + len(self.delayed)
            assert self.running.owners.total() == self.running.lanes.total() == len(self.at_work)

    @invariant()
    def the_next_due_time_is_that_of_a_delayed_job(self) -> None:
        if hasattr(self, "scheduler"):
            due = self.scheduler.next_due()
            assert (due and due.timestamp()) == min((due for _, due in self.delayed.values()), default=None)


SchedulerAgainstAList.TestCase.settings = settings(max_examples=60, stateful_step_count=40)

test_the_scheduler_gives_what_a_searched_list_gives = SchedulerAgainstAList.TestCase
