"""How many jobs ended in each minute and each hour, and how long they took. Pure.

A partition keeps the minutes of its last two hours and the hours of its last two days. They are counted back from its
newest end, not from the present, so that a rebuild keeps the same ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from piperoll.domain.durations import bins_of
from piperoll.domain.job import Job, Status

KEPT = {60: timedelta(hours=2), 3600: timedelta(days=2)}
"""How long the spans of so many seconds are kept."""


@dataclass(frozen=True, slots=True)
class StoredEnds:
    """One span of a partition, its fields in the order of the statement's arrays. `bins` is an array of Postgres."""

    seconds: int
    at: datetime
    completed: int
    failed: int
    cancelled: int
    bins: str


@dataclass(frozen=True, slots=True)
class FirstKept:
    """The first span of a length that a partition keeps, its fields in the order of the statement's arrays."""

    seconds: int
    at: datetime


def count(ended: Iterable[Job]) -> tuple[list[StoredEnds], list[FirstKept]]:
    """Return the spans to which these ended jobs are added, and the first spans to keep."""
    jobs = [(job, job.ended_at) for job in ended if job.ended_at is not None]
    if not jobs:
        return [], []
    newest = max(at for _, at in jobs)
    first = [FirstKept(seconds, _begin(newest - kept, seconds)) for seconds, kept in KEPT.items()]
    spans: dict[tuple[int, datetime], list[Job]] = {}
    for one in first:
        for job, ended_at in jobs:
            if (at := _begin(ended_at, one.seconds)) >= one.at:
                spans.setdefault((one.seconds, at), []).append(job)
    return [_stored(seconds, at, spans[seconds, at]) for seconds, at in sorted(spans)], first


def _stored(seconds: int, at: datetime, jobs: list[Job]) -> StoredEnds:
    numbers = {status: sum(job.status is status for job in jobs) for status in Status}
    durations = [_duration_s(job) for job in jobs if job.status is not Status.CANCELLED]
    return StoredEnds(
        seconds=seconds,
        at=at,
        completed=numbers[Status.COMPLETED],
        failed=numbers[Status.FAILED],
        cancelled=numbers[Status.CANCELLED],
        bins="{" + ",".join(map(str, bins_of(durations))) + "}",
    )


def _duration_s(job: Job) -> float:
    assert job.ended_at is not None
    return (job.ended_at - job.created_at).total_seconds()


def _begin(time: datetime, seconds: int) -> datetime:
    """The beginning of the span that a time is in."""
    stamp = int(time.timestamp())
    return datetime.fromtimestamp(stamp - stamp % seconds, UTC)
