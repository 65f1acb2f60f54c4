"""The minutes and hours in which jobs ended, from the jobs of one transaction."""

from datetime import timedelta

from piperoll.domain.job import Job, Status
from services.projector.jobs.ends import FirstKept, StoredEnds, count
from tests.support.histories.jobs import BEGAN


def ended(status: Status, after: timedelta, took: timedelta = timedelta(seconds=1)) -> Job:
    at = BEGAN + after
    return Job(
        job_id="job-a", owner="acme", status=status, created_at=at - took, updated_at=at, ended_at=at, created=True
    )


def minutes(spans: list[StoredEnds]) -> dict[int, tuple[int, int, int]]:
    return {
        int((one.at - BEGAN).total_seconds()) // 60: (one.completed, one.failed, one.cancelled)
        for one in spans
        if one.seconds == 60
    }


def test_each_end_is_counted_in_its_minute_and_in_its_hour() -> None:
    spans, _ = count(
        [
            ended(Status.COMPLETED, timedelta(seconds=59.999)),
            ended(Status.FAILED, timedelta(minutes=1)),
            ended(Status.COMPLETED, timedelta(minutes=1, seconds=2)),
            ended(Status.CANCELLED, timedelta(minutes=61)),
        ]
    )
    assert minutes(spans) == {0: (1, 0, 0), 1: (1, 1, 0), 61: (0, 0, 1)}
    hours = [(one.completed, one.failed, one.cancelled) for one in spans if one.seconds == 3600]
    assert hours == [(2, 1, 0), (0, 0, 1)]


def test_cancelled_jobs_have_no_duration() -> None:
    spans, _ = count([ended(Status.COMPLETED, timedelta(), timedelta(0)), ended(Status.CANCELLED, timedelta())])
    assert {one.bins for one in spans} == {"{1}"}


def test_what_is_kept_is_counted_back_from_the_newest_end() -> None:
    spans, first = count(
        [ended(Status.COMPLETED, timedelta(hours=1)), ended(Status.COMPLETED, timedelta(hours=3, seconds=61))]
    )
    assert first == [
        FirstKept(60, BEGAN + timedelta(hours=1, minutes=1)),
        FirstKept(3600, BEGAN + timedelta(hours=3) - timedelta(days=2)),
    ]
    assert minutes(spans) == {181: (1, 0, 0)}, "an older minute is not written, so the statement may remove it"


def test_nothing_ended() -> None:
    assert count([]) == ([], [])
