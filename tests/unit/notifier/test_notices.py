"""Notices of endpoints: which changes of status are sent."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.job import Job, evolve
from schemas.events import (
    Event,
    JobCancelled,
    JobErased,
    JobFailed,
    JobProgress,
    JobReleased,
    JobRetryScheduled,
    JobStarted,
)
from services.notifier.notices.changes import CHANGES, Change, Following, change_of
from tests.support.histories.notices import COMPLETED, CREATED, LONG_AGO, NOW, changes, endpoint, fact

EVENTS: list[Event] = [
    CREATED,
    JobStarted(number=1, run="a", worker="w"),
    JobStarted(number=2, run="b", worker="w"),
    JobProgress(run="a", sequence=1, step="reading_file", percent=10),
    JobReleased(run="a", reason="drain"),
    JobRetryScheduled(run="b", error_code="TIMEOUT", delay_s=0),
    COMPLETED,
    JobFailed(run="b", error_code="INVALID_PDF"),
    JobCancelled(by="owner"),
    JobErased(by="owner"),
]

NEXT = {
    None: {"PENDING", "KILLED"},
    "PENDING": {"IN_PROGRESS", "KILLED"},
    "IN_PROGRESS": {"PENDING", "DONE", "ERROR", "KILLED"},
    "DONE": set(),
    "ERROR": set(),
    "KILLED": set(),
}


@given(st.lists(st.sampled_from(EVENTS), max_size=12))
def test_notices_are_exactly_the_changes_of_status_of_the_fold(events: list[Event]) -> None:
    found = changes(*events)
    before: str | None = None
    for change in found:
        assert change.status in NEXT[before]
        before = change.status
    numbers = [change.number for change in found]
    assert numbers == sorted(set(numbers))
    job: Job | None = None
    for data in events:
        job = evolve(job, fact(data))
    if job is not None and job.created:
        assert (
            found[-1].status
            == {
                "pending": "PENDING",
                "processing": "IN_PROGRESS",
                "completed": "DONE",
                "failed": "ERROR",
                "cancelled": "KILLED",
            }[job.status.value]
        )
    assert CHANGES.validate_json(CHANGES.dump_json(found)) == found


@given(st.lists(st.sampled_from(EVENTS), max_size=12), st.integers(0, 12))
def test_a_fold_kept_between_two_polls_gives_the_same_changes(events: list[Event], cut: int) -> None:
    first = Following([endpoint()], {}, LONG_AGO)
    for data in events[:cut]:
        first.take(fact(data))
    second = Following([endpoint()], first.jobs, LONG_AGO)
    for data in events[cut:]:
        second.take(fact(data))
    key = ("job-1", "endpoint-1")
    assert [*first.notices.get(key, []), *second.notices.get(key, [])] == changes(*events)


def test_an_endpoint_gets_what_it_asked_for_and_nothing_older_than_itself() -> None:
    started = JobStarted(number=1, run="a", worker="w")
    following = Following([endpoint("DONE"), endpoint()], {}, LONG_AGO)
    assert [one.wants(Change(number=1, status="ERROR", at=NOW)) for one in (endpoint("DONE"), endpoint())] == [
        False,
        True,
    ]
    assert not endpoint(since=NOW + timedelta(milliseconds=1)).wants(Change(number=1, status="DONE", at=NOW))
    following.take(fact(started, owner="other"))
    assert not following.concerns("other")
    assert following.notices == {}


def test_a_job_type_that_these_clients_do_not_know_is_not_sent() -> None:
    assert changes(CREATED.model_copy(update={"job_type": "noop"})) == []


def test_a_change_from_before_the_oldest_that_is_sent_is_late() -> None:
    after = evolve(None, fact(CREATED))
    assert after is not None
    old = change_of(None, after, fact(CREATED), NOW + timedelta(seconds=1))
    assert old is not None
    assert old.late
