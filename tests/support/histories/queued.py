"""Jobs for a scheduler."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from piperoll.domain.job import Job
from piperoll.domain.scheduler import Running, Scheduler
from tests.support.histories.jobs import BEGAN, created
from tests.support.histories.lives import folded

OWNERS = ["acme", "bolt", "crest"]

USERS = [None, "ann", "ben"]

WORKS = [None, None, "work-1", "work-2"]

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
