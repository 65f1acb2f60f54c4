"""Lives of jobs as two workers that both believe to own them may append them, and whole partitions of such lives."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from piperoll.domain.backlog import Backlog
from piperoll.domain.job import Job, evolve
from schemas.envelope import Fact
from schemas.events import (
    BATCH_EVENTS,
    BatchCreated,
    BatchExpanded,
    Event,
    JobCancelled,
    JobErased,
    JobFailed,
    JobProgress,
    JobReleased,
    JobRetryScheduled,
    JobStarted,
    WebhookDelivered,
)
from tests.support.histories.jobs import OWNER, claim, completed, created, fact

JOB = "job-a"
JOBS = [JOB, "job-b", "job-c"]


def started(number: int, worker: str = "worker-a") -> JobStarted:
    """A claim; its run is named after both."""
    return JobStarted(number=number, run=f"{worker}/{number}", worker=worker)


def progress(run: str, sequence: int = 1, percent: int = 50) -> JobProgress:
    """A run came further."""
    return JobProgress(run=run, sequence=sequence, step="extracting_text", percent=percent, page=3, pages=9)


def released(run: str) -> JobReleased:
    """A run was given back unfinished."""
    return JobReleased(run=run, reason="rebalance")


def retry(run: str, delay_s: float = 30.0) -> JobRetryScheduled:
    """A run failed in a way that may pass."""
    return JobRetryScheduled(run=run, error_code="PROCESSOR_CRASHED", delay_s=delay_s, details=claim(f"{run}/error"))


def failed(run: str) -> JobFailed:
    """A run failed for good."""
    return JobFailed(run=run, error_code="INVALID_PDF", details=claim(f"{run}/error"), duration_ms=7)


CANCELLED = JobCancelled(by=OWNER)
ERASED = JobErased(by=OWNER)
BATCH = BatchCreated(count=2, specs=claim("batch-1/specs"), body_sha256="0" * 64)
ODD = WebhookDelivered(delivery_id="msg_1", phase="completed", attempt=1, status=200, duration_ms=1)
"""A fact that is none of a job's."""


def appended(data: Event, second: int = 0, lag_s: float = 1.0, job_id: str = JOB) -> Fact:
    """An event as it is read back, appended `lag_s` seconds after it happened."""
    one = fact(job_id, data, second)
    return replace(one, appended_at=one.time + timedelta(seconds=lag_s))


def fold(facts: Iterable[Fact], job: Job | None = None) -> Job | None:
    """The job after all of them."""
    for one in facts:
        job = evolve(job, one)
    return job


def folded(*data: Event) -> Job:
    """The job after facts that happened a second apart."""
    job = fold(appended(one, second) for second, one in enumerate(data))
    assert job is not None
    return job


workers = st.sampled_from(["worker-a", "worker-b"])
numbers = st.integers(1, 5)
runs = st.builds("{}/{}".format, workers, numbers)
noise: st.SearchStrategy[Event] = st.one_of(
    st.builds(started, numbers, workers),
    st.builds(progress, runs, st.integers(1, 4), st.integers(0, 100)),
    st.builds(released, runs),
    st.builds(retry, runs, st.floats(0, 600)),
    st.builds(completed, runs),
    st.builds(failed, runs),
    st.sampled_from([created(has_webhook=True), CANCELLED, ERASED, ODD]),
)


@st.composite
def lives(draw: st.DrawFn, job_id: str = JOB) -> list[Fact]:
    """Facts of one job: a story that makes sense, mixed with facts that do not: early, late or repeated.

    Writers' clocks jump by minutes; the append times follow them.
    """
    story: list[Event] = draw(stories())
    for place, data in draw(st.lists(st.tuples(st.integers(0, 40), noise), max_size=8)):
        story.insert(place % (len(story) + 1), data)
    for origin, place in draw(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=5)):
        if story:
            story.insert(place % (len(story) + 1), story[origin % len(story)])
    return [appended(data, draw(st.integers(0, 300)), job_id=job_id) for data in story]


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    """What one careful worker after the other would append: runs that are given back, retried or lost, then an end."""
    story: list[Event] = [created()]
    attempts = draw(st.integers(0, 4))
    for number in range(1, attempts + 1):
        worker = draw(workers)
        run = f"{worker}/{number}"
        story.append(started(number, worker))
        percents = draw(st.lists(st.integers(0, 100), max_size=3))
        story += [progress(run, sequence, percent) for sequence, percent in enumerate(percents, 1)]
        story += draw(st.sampled_from([[released(run)], [retry(run)], []]))
    last = started(attempts + 1)
    ends = [[], [last, completed(last.run)], [last, failed(last.run)], [last, CANCELLED], [CANCELLED], [last, ERASED]]
    return story + draw(st.sampled_from(ends))


@st.composite
def partitions(draw: st.DrawFn) -> list[Fact]:
    """One partition: the lives of a few jobs and a batch, shuffled into each other, each in its own order."""
    lanes = [draw(lives(name)) for name in JOBS]
    of_batch = draw(st.lists(st.sampled_from([BATCH, BatchExpanded(count=2)])))
    lanes.append([fact("batch-1", data, 5) for data in of_batch])
    facts = []
    while lanes := [lane for lane in lanes if lane]:
        facts.append(lanes[draw(st.integers(0, len(lanes) - 1))].pop(0))
    return facts


def folded_backlog(facts: list[Fact], backlog: Backlog | None = None) -> Backlog:
    """The backlog of a partition after all of them."""
    backlog = Backlog() if backlog is None else backlog
    for one in facts:
        if isinstance(one.data, BATCH_EVENTS):
            backlog.fold_batch(one)
        else:
            backlog.fold_job(one)
    return backlog
