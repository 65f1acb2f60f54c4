"""The scheduler: whose job is next, and that none is lost or doubled; checked against a list searched each time."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from piperoll.domain.job import Job
from piperoll.domain.scheduler import AGEING_S, Running, Scheduler, lane_of, rank, work_of
from tests.support.histories.jobs import BEGAN, created
from tests.support.histories.lives import folded

OWNERS = ["acme", "bolt", "crest"]
USERS = [None, "ann", "ben"]
WORKS = [None, None, "work-1", "work-2"]
SLOTS = 4
TEMPLATE = folded(created())


def job(
    job_id: str,
    owner: str = "acme",
    user_id: str | None = None,
    age_s: float = 0,
    priority: int = 5,
    work: str | None = None,
) -> Job:
    """A pending job that was created `age_s` seconds before the start of the test's time."""
    return replace(
        TEMPLATE,
        job_id=job_id,
        owner=owner,
        user_id=user_id,
        created_at=BEGAN - timedelta(seconds=age_s),
        priority=priority,
        work_sha256=work,
    )


jobs = st.builds(
    job,
    st.sampled_from([f"job-{number}" for number in range(12)]),
    st.sampled_from(OWNERS),
    st.sampled_from(USERS),
    st.integers(0, 4000),
    st.integers(0, 9),
    st.sampled_from(WORKS),
)


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
    """Who is held back, by lists: of each lane the first jobs, as long as an equal one runs and they never waited."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.waited: set[str] = set()

    def admitted(self, waiting: dict[str, Job], running: list[Job]) -> dict[str, Job]:
        busy = {work_of(one) for one in running} - {None}
        over = {name for name in self.held if work_of(waiting[name]) not in busy}
        self.held, self.waited = self.held - over, self.waited | over
        for lane in {lane_of(one) for one in waiting.values()}:
            queue = sorted((one for one in waiting.values() if lane_of(one) == lane), key=rank)
            for one in (one for one in queue if one.job_id not in self.held):
                if work_of(one) not in busy or one.job_id in self.waited:
                    break
                self.held.add(one.job_id)
        return {name: one for name, one in waiting.items() if name not in self.held}

    def forget(self, job_id: str) -> None:
        self.held.discard(job_id)
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
        admitted = self.holding.admitted(self.waiting, self.at_work)
        expected = naive_next(admitted, self.at_work, free, self.reserved)
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


# --- what the rules are for --------------------------------------------------------------------------------------


def drained(scheduler: Scheduler, running: Running, free: int = 1, reserved: int = 0) -> list[str]:
    """The ids in the order in which they are given out while nothing ends."""
    names = []
    while (taken := scheduler.take(BEGAN, running, free, reserved)) is not None:
        running.add(taken)
        names.append(taken.job_id)
    return names


def offered(*waiting: Job) -> Scheduler:
    scheduler = Scheduler()
    for one in waiting:
        scheduler.put(one)
    return scheduler


@given(st.lists(jobs, min_size=1, max_size=12, unique_by=lambda one: one.job_id), st.integers(2, 4))
def test_another_owners_job_waits_for_at_most_one_slot(mine: list[Job], slots: int) -> None:
    """However many jobs one owner has waiting and running: when a slot frees, it is the other owner's."""
    running = Running()
    for number in range(slots - 1):
        running.add(job(f"running-{number}", owner="greedy"))
    scheduler = offered(*(replace(one, owner="greedy", user_id=None) for one in mine), job("other", owner="modest"))
    assert drained(scheduler, running)[0] == "other"


def test_owners_with_equal_shares_take_turns() -> None:
    scheduler = offered(*(job(f"{owner}-{number}", owner) for owner in ("a", "b") for number in range(3)))
    order = drained(scheduler, Running())
    assert [name[0] for name in order] == ["a", "b", "a", "b", "a", "b"]


def test_within_an_owner_users_take_turns() -> None:
    busy = [job(f"ann-{number}", user_id="ann", age_s=100) for number in range(3)]
    scheduler = offered(*busy, job("ben-0", user_id="ben"))
    assert drained(scheduler, Running())[:2] == ["ann-0", "ben-0"]


def test_a_higher_priority_goes_first_and_then_the_older_job() -> None:
    scheduler = offered(job("late"), job("early", age_s=60), job("urgent", priority=9))
    assert drained(scheduler, Running()) == ["urgent", "early", "late"]


@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 5000))
def test_a_step_of_priority_is_worth_ten_minutes_of_waiting(low: int, high: int, extra_s: int) -> None:
    if low >= high:
        return
    waited = (high - low) * AGEING_S
    for more, first in ((extra_s, "patient"), (-min(extra_s, waited), "urgent")):
        scheduler = offered(job("patient", age_s=waited + more, priority=low), job("urgent", priority=high))
        assert drained(scheduler, Running())[0] == first


def test_a_retry_runs_when_it_is_due_and_not_before() -> None:
    scheduler, running = Scheduler(), Running()
    scheduler.put(job("again"), BEGAN + timedelta(seconds=30))
    assert scheduler.take(BEGAN + timedelta(seconds=29.9), running, 1) is None
    assert scheduler.next_due() == BEGAN + timedelta(seconds=30)
    taken = scheduler.take(BEGAN + timedelta(seconds=30), running, 1)
    assert taken is not None
    assert (taken.job_id, scheduler.next_due(), len(scheduler)) == ("again", None, 0)


def test_reserved_slots_are_kept_for_owners_with_nothing_running() -> None:
    running = Running()
    running.add(job("greedy-0", "greedy"))
    scheduler = offered(job("greedy-1", "greedy"))
    assert scheduler.take(BEGAN, running, free=1, reserved=1) is None
    scheduler.put(job("modest-0", "modest"))
    taken = scheduler.take(BEGAN, running, free=1, reserved=1)
    assert taken is not None
    assert taken.job_id == "modest-0"


def test_a_job_whose_equal_runs_waits_for_its_end_and_blocks_no_other() -> None:
    running = Running()
    first = job("first", work="w")
    running.add(first)
    scheduler = offered(job("equal", age_s=60, work="w"), job("other", work="v"), job("any"))
    assert drained(scheduler, running, free=9) == ["any", "other"]
    running.remove(first)
    assert drained(scheduler, running, free=9) == ["equal"]


def test_equal_jobs_wait_once_and_then_run_side_by_side() -> None:
    """Whether the first one completed, failed or was cancelled: no job waits for a second one, so none starves."""
    running, first = Running(), job("first", work="w")
    running.add(first)
    scheduler = offered(*(job(f"equal-{number}", work="w") for number in range(3)))
    assert drained(scheduler, running, free=9) == []
    running.remove(first)
    assert drained(scheduler, running, free=9) == ["equal-0", "equal-1", "equal-2"]


def test_equal_jobs_of_two_owners_do_not_wait_for_each_other() -> None:
    running = Running()
    running.add(job("theirs", owner="bolt", work="w"))
    assert drained(offered(job("mine", work="w")), running, free=9) == ["mine"]


def test_a_held_job_that_is_taken_back_is_forgotten() -> None:
    running, first = Running(), job("first", work="w")
    running.add(first)
    scheduler = offered(job("equal", work="w"))
    assert drained(scheduler, running, free=9) == []
    assert scheduler.oldest() is None
    scheduler.discard("equal")
    running.remove(first)
    assert drained(scheduler, running, free=9) == []
    assert (len(scheduler), scheduler._held, scheduler._waited, running.works) == (0, {}, set(), {})


def test_the_oldest_job_that_may_run_now_is_returned_and_a_delayed_one_is_not() -> None:
    scheduler = offered(job("young"), job("old", age_s=60))
    scheduler.put(job("older", age_s=600), BEGAN + timedelta(seconds=1))
    assert scheduler.oldest() == BEGAN - timedelta(seconds=60)
    scheduler.discard("old")
    scheduler.discard("young")
    assert scheduler.oldest() is None


def test_an_idle_scheduler_keeps_no_owner() -> None:
    """Owners and users come and go; a worker must not keep a heap for each that ever was."""
    scheduler, running = Scheduler(), Running()
    for number in range(200):
        scheduler.put(job(f"job-{number}", owner=f"owner-{number}", user_id=f"user-{number}"))
    for name in drained(scheduler, running):
        running.remove(job(name, owner=name.replace("job", "owner"), user_id=name.replace("job", "user")))
    assert scheduler.take(BEGAN, running, 1) is None
    assert (scheduler._lanes, running.owners, running.lanes) == ({}, {}, {})
