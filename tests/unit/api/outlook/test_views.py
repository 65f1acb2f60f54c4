"""When jobs and batches end, from folded histories."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.batch import Batch
from piperoll.domain.job import Job, Status
from schemas.events import Event, JobCancelled, JobCompleted, JobFailed, JobProgress, JobRetryScheduled, JobStarted
from services.api.batches.views import batch_view
from services.api.jobs.views import JobContents, changed_job, job_view
from services.api.outlook.durations import Sample
from services.api.outlook.queue import WaitingJobs
from services.api.outlook.views import Outlook
from services.api.read_model.job_rows import BatchMember, BatchRow, JobRow
from tests.support.histories.jobs import RUNS, claim, created
from tests.support.rows import job_row, row_of

TEN_SECONDS = [Sample(10.0, 10, "native")] * 5
RUN = RUNS[0]
NATIVE = {"filename": "/a.pdf"}


def started(job_type: str = "pdf") -> list[Event]:
    return [created(job_type=job_type), JobStarted(number=1, run=RUN, worker="w")]


def reading(percent: int, page: int, pages: int = 10) -> JobProgress:
    return JobProgress(run=RUN, sequence=1, step="extracting_text", percent=percent, page=page, pages=pages)


def outlook(
    row: JobRow, later_s: float = 0, waiting: tuple[WaitingJobs, ...] = (), running: tuple[Job, ...] = ()
) -> Outlook:
    now = row.updated_at + timedelta(seconds=later_s)
    return Outlook(now, {"pdf": TEN_SECONDS}, waiting, running)


def seconds(
    row: JobRow, later_s: float = 0, waiting: tuple[WaitingJobs, ...] = (), running: tuple[Job, ...] = ()
) -> float | None:
    eta = outlook(row, later_s, waiting, running).of_job(row, NATIVE)
    return None if eta is None else eta["seconds"]


def test_a_job_that_begins_takes_what_others_took() -> None:
    assert seconds(row_of(started())) == pytest.approx(10)


def test_a_job_half_way_at_the_usual_pace_takes_another_half() -> None:
    row = row_of([*started(), reading(45, 6)])  # a second after its start, so it is faster than others
    assert seconds(row) == pytest.approx(0.5 * (0.5 * 10 + 0.5 * 2))


@given(st.integers(0, 100), st.floats(0, 1e5))
def test_an_eta_is_never_in_the_past(percent: int, later_s: float) -> None:
    found = seconds(row_of([*started(), reading(percent, 1)]), later_s)
    assert found is None or found >= 0


def test_the_view_shows_the_time_and_the_seconds() -> None:
    row = row_of(started())
    view = job_view(row, JobContents(parameters={"job_type": "pdf", "parameters": NATIVE}), outlook(row))
    assert view["eta"] == {"time": "2026-01-01T00:00:11Z", "seconds": 10.0}


@pytest.mark.parametrize(
    "end",
    [JobCompleted(run=RUN, result=claim("r")), JobFailed(run=RUN, error_code="INVALID_PDF"), JobCancelled(by="acme")],
    ids=lambda end: type(end).__name__,
)
def test_an_ended_job_has_none(end: Event) -> None:
    row = row_of([*started(), end])
    assert "eta" not in job_view(row, JobContents(), outlook(row))
    assert "eta" not in changed_job(row, outlook(row))


def test_a_job_of_a_type_that_was_not_measured_has_none() -> None:
    row = row_of(started("extraction"))
    assert outlook(row).of_job(row, NATIVE) is None


def test_a_waiting_job_waits_for_those_before_it() -> None:
    row = row_of([created(job_type="pdf")])
    queue = WaitingJobs(row.owner, "pdf", 5, row.created_at - timedelta(seconds=60), row.created_at)
    assert seconds(row, waiting=(queue,), running=others(2)) == pytest.approx(4 * 10 / 2 + 10)


def test_a_retry_that_is_due_later_waits_until_then() -> None:
    row = row_of([*started(), JobRetryScheduled(run=RUN, error_code="WORKER_CRASHED", delay_s=300)])
    assert seconds(row) == pytest.approx(310)


def others(number: int, **changed: Any) -> tuple[Job, ...]:
    """Running jobs of the type."""
    job = row_of(started()).job
    assert job is not None
    return (replace(job, **changed),) * number


def batch_of(row: JobRow, statuses: str) -> BatchRow:
    names = {"w": Status.PENDING, "r": Status.PROCESSING, "d": Status.COMPLETED}
    batch = Batch(
        batch_id="batch-1",
        owner=row.owner,
        user_id=None,
        name=None,
        specs=claim("specs"),
        count=len(statuses),
        body_sha256="0",
        created_at=row.created_at,
        appended_at=row.created_at,
    )
    members = tuple(BatchMember(f"job-{index}", names[one], row.updated_at) for index, one in enumerate(statuses))
    return BatchRow(row.owner, batch, row.position, members)


def test_a_batch_ends_with_its_last_waiting_job() -> None:
    row = row_of(started())
    queue = WaitingJobs(row.owner, "pdf", 3, row.created_at, row.created_at)
    running = others(2, batch_id="batch-1")
    view = batch_view(batch_of(row, "drrwww"), None, outlook(row, 0, (queue,), running))
    assert view["eta"]["seconds"] == pytest.approx(2 * 10 / 2 + 10)


def test_a_batch_ends_no_earlier_than_a_job_of_it_that_takes_long() -> None:
    row = row_of([*started(), reading(31, 1)])
    (slow,) = others(1, batch_id="batch-1", percent=35, updated_at=row.created_at + timedelta(seconds=400))
    now = slow.updated_at
    view = batch_view(batch_of(row, "dr"), None, Outlook(now, {"pdf": TEN_SECONDS}, (), (slow,)))
    assert view["eta"]["seconds"] > 100
    assert view["eta"] == Outlook(now, {"pdf": TEN_SECONDS}).of_job(job_row(slow))


def test_running_jobs_count_for_those_that_wait() -> None:
    row = row_of([created(job_type="pdf")])
    (slow,) = others(1, percent=55, updated_at=row.created_at + timedelta(seconds=100))
    queue = WaitingJobs(row.owner, "pdf", 5, row.created_at - timedelta(seconds=60), row.created_at)
    quick = seconds(row, 0, (queue,), others(1))
    assert quick is not None
    found = Outlook(slow.updated_at, {"pdf": TEN_SECONDS}, (queue,), (slow,)).of_job(row, NATIVE)
    assert found is not None
    assert found["seconds"] > 3 * quick


def test_a_batch_of_work_that_was_not_measured_goes_on_at_its_own_pace() -> None:
    row = row_of(started())
    view = batch_view(batch_of(row, "dwww"), None, Outlook(row.created_at + timedelta(seconds=30)))
    assert view["eta"]["seconds"] == pytest.approx(90)
    assert "eta" not in batch_view(batch_of(row, "wwww"), None, Outlook(row.created_at + timedelta(seconds=30)))


def test_a_batch_that_has_ended_has_no_eta() -> None:
    row = row_of(started())
    assert "eta" not in batch_view(batch_of(row, "dd"), None, outlook(row))
