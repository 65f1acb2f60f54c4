"""The scheduler: turns of owners and users, priority, retries, reserved slots."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.job import Job
from piperoll.domain.scheduler import AGEING_S, Running, Scheduler
from tests.support.histories.jobs import BEGAN
from tests.support.histories.queued import drained, job, jobs, offered


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


class Counted(dict[str, Job]):
    """A mapping that counts its look-ups."""

    looked = 0

    def get(self, *arguments: Any) -> Any:
        self.looked += 1
        return super().get(*arguments)


def looked_at(users: int) -> int:
    """How many jobs a worker looks at to choose 50 jobs of an owner with so many users, each with one job."""
    scheduler = offered(*(job(f"job-{number}", user_id=f"user-{number}") for number in range(users)))
    waiting = Counted(scheduler._waiting)
    scheduler._waiting = waiting
    running, taken = Running(), []
    for _ in range(50):
        chosen = scheduler.take(BEGAN, running, 4)
        assert chosen is not None
        taken.append(chosen)
        running.add(chosen)
        if len(taken) > 3:
            running.remove(taken[-4])
    assert len({one.job_id for one in taken}) == 50
    return waiting.looked


def test_a_choice_costs_the_same_however_many_users_an_owner_names() -> None:
    assert looked_at(5000) <= 2 * looked_at(60)
