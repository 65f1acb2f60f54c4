"""Equal jobs in the scheduler: they wait for each other."""

from dataclasses import replace
from datetime import timedelta

import pytest

from piperoll.domain.scheduler import HELD_S, Running, Scheduler
from tests.support.histories.jobs import BEGAN
from tests.support.histories.queued import drained, job, offered


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


@pytest.mark.parametrize(("timeout_s", "held_s"), [(30, 30.0), (3600, HELD_S)])
def test_a_job_waits_for_its_equal_no_longer_than_it_may_itself_run(timeout_s: int, held_s: float) -> None:
    running = Running()
    running.add(job("first", work="w"))
    scheduler = Scheduler()
    scheduler.put(replace(job("equal", work="w"), timeout_s=timeout_s))
    assert scheduler.take(BEGAN, running, 9) is None
    assert scheduler.take(BEGAN + timedelta(seconds=held_s - 1), running, 9) is None
    released = scheduler.take(BEGAN + timedelta(seconds=held_s), running, 9)
    assert released is not None
    assert released.job_id == "equal"
    assert scheduler._held == {}


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
