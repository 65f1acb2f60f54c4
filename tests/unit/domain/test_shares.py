"""How owners share slots: who was seen lately, how long one waits, and which run is taken back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.job import Job
from piperoll.domain.scheduler import Running
from piperoll.domain.shares import LATELY, PATIENCE, Patience, Sightings, run_to_take_back
from tests.support.histories.jobs import BEGAN
from tests.support.histories.queued import OWNERS, drained, job, offered

MOMENT = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Run:
    owner: str
    number: int


@given(st.lists(st.tuples(st.sampled_from(OWNERS), st.integers(0, 3000)), max_size=20), st.integers(0, 9000))
def test_slots_are_kept_while_two_owners_were_seen_lately(seen: list[tuple[str, int]], later_s: int) -> None:
    sightings, newest, now = Sightings(), dict[str, datetime](), BEGAN
    for owner, after_s in seen:
        now += timedelta(seconds=after_s)
        sightings.note(owner, now)
        newest[owner] = now
    now += timedelta(seconds=later_s)
    others = sorted(newest.values())[:-1]
    assert sightings.several(now) == any(now - at <= LATELY for at in others)


def test_a_slot_is_taken_back_for_an_owner_that_has_waited_for_one() -> None:
    patience = Patience()
    assert not patience.over(True, BEGAN)
    assert not patience.over(True, BEGAN + PATIENCE - MOMENT)
    assert patience.over(True, BEGAN + PATIENCE)
    assert not patience.over(True, BEGAN + PATIENCE + MOMENT)


def test_an_owner_that_got_a_slot_meanwhile_waits_from_the_beginning_the_next_time() -> None:
    patience = Patience()
    patience.over(True, BEGAN)
    assert not patience.over(False, BEGAN + MOMENT)
    assert not patience.over(True, BEGAN + PATIENCE)


@given(st.lists(st.sampled_from(OWNERS), max_size=9))
def test_the_run_that_is_taken_back_is_the_youngest_of_the_owner_with_the_most(owners: list[str]) -> None:
    runs = [Run(owner, number) for number, owner in enumerate(owners)]
    taken = run_to_take_back(runs)
    most = max((owners.count(owner) for owner in owners), default=0)
    if most < 2:
        assert taken is None
        return
    assert taken is not None
    assert owners.count(taken.owner) == most
    assert taken == max((run for run in runs if run.owner == taken.owner), key=lambda run: run.number)


def test_an_owner_has_no_more_running_jobs_than_its_cap() -> None:
    scheduler, running = offered(*(job(f"greedy-{number}", "greedy") for number in range(5))), Running()
    for _ in range(2):
        taken = scheduler.take(BEGAN, running, free=9, most=2)
        assert taken is not None
        running.add(taken)
    assert scheduler.take(BEGAN, running, free=7, most=2) is None
    scheduler.put(job("modest", "modest"))
    assert drained(scheduler, running, free=7)[0] == "modest"


def test_only_an_owner_with_nothing_running_starves() -> None:
    scheduler, running = offered(job("greedy-1", "greedy")), Running()
    running.add(job("greedy-0", "greedy"))
    assert not scheduler.starves(running, BEGAN)
    scheduler.put(job("later", "modest"), BEGAN + MOMENT)
    assert not scheduler.starves(running, BEGAN)
    assert scheduler.starves(running, BEGAN + MOMENT)


def test_the_next_job_is_found_among_very_many_users_and_jobs_without_passing_over_them() -> None:
    """A bound on looks at waiting jobs, not on time."""
    crowd = [job(f"job-{number:05d}", "greedy", user_id=f"user-{number}") for number in range(2000)]
    crowd += [job(f"more-{number:05d}", "greedy", user_id="busy", age_s=9) for number in range(2000)]
    scheduler, running, looks = offered(*crowd), Running(), 0
    may_run = scheduler._may_run

    def counted(one: Job) -> bool:
        nonlocal looks
        looks += 1
        return may_run(one)

    scheduler._may_run = counted  # type: ignore[method-assign]
    taken: list[Job] = []
    for _ in range(200):
        one = scheduler.take(BEGAN, running, free=1)
        assert one is not None
        taken.append(one)
        running.add(one)
        if len(taken) > 4:
            running.remove(taken[-5])
    assert looks < 200 * 10
    assert len(scheduler._fronts["greedy"]) <= 2001 + 200
    assert len({one.job_id for one in taken}) == 200
