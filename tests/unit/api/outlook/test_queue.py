"""The jobs before a job, and how long they take."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.outlook.queue import WaitingJobs, jobs_before, wait_s

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TIMES = st.integers(0, 3600).map(lambda seconds: NOON + timedelta(seconds=seconds))
OPEN = st.lists(
    st.builds(
        lambda owner, job_type, number, one, two: WaitingJobs(owner, job_type, number, min(one, two), max(one, two)),
        st.sampled_from("abc"),
        st.sampled_from(["pdf", "noop"]),
        st.integers(1, 500),
        TIMES,
        TIMES,
    ),
    max_size=6,
)


def waiting(owner: str, count: int, job_type: str = "pdf", seconds: int = 100) -> WaitingJobs:
    return WaitingJobs(owner, job_type, count, NOON, NOON + timedelta(seconds=seconds))


@given(OPEN, TIMES, TIMES)
def test_a_later_job_has_at_least_as_many_before_it(theirs: list[WaitingJobs], one: datetime, two: datetime) -> None:
    earlier, later = (sum(jobs_before(theirs, "a", time).values()) for time in sorted((one, two)))
    everything = sum(jobs_before(theirs, "a", None).values())
    assert 0 <= earlier <= later + 1e-9
    assert later <= everything + 1e-9 <= sum(one.number for one in theirs) + 1e-6


def test_nothing_waits_before_an_owner_without_waiting_jobs() -> None:
    assert jobs_before([waiting("other", 5000)], "mine", None) == {}


def test_of_another_owner_as_many_jobs_go_before_as_of_ones_own() -> None:
    found = jobs_before([waiting("mine", 3), waiting("other", 5000, "noop")], "mine", None)
    assert found == pytest.approx({"pdf": 3, "noop": 3})


def test_jobs_that_were_created_later_do_not_go_before() -> None:
    assert jobs_before([waiting("mine", 100)], "mine", NOON + timedelta(seconds=50)) == {"pdf": 50}
    assert jobs_before([waiting("mine", 100)], "mine", NOON - timedelta(seconds=1)) == {}


def test_the_wait_is_the_time_of_the_jobs_before_shared_by_the_slots() -> None:
    assert wait_s({"pdf": 6, "noop": 10}, 2, {"pdf": 4.0, "noop": 0.1}) == 12.5
    assert wait_s({}, 0, {}) == 0
    assert wait_s({"pdf": 1}, 0, {"pdf": 4.0}) == 4.0, "without a running job one slot is assumed"


def test_the_wait_is_unknown_while_a_type_before_was_not_measured() -> None:
    assert wait_s({"pdf": 6, "noop": 10}, 2, {"pdf": 4.0, "noop": None}) is None
