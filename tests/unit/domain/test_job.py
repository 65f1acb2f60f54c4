"""The fold of a job: what each fact does in the state it is meant for."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from piperoll.domain.job import CODEC, Status, evolve
from schemas.events import (
    BatchCreated,
    Event,
    JobCompleted,
    JobFailed,
    JobProgress,
    JobStarted,
)
from schemas.pages import PageRecords
from tests.support.histories.jobs import BEGAN, claim, completed, created, fact
from tests.support.histories.lives import (
    CANCELLED,
    ERASED,
    JOB,
    appended,
    failed,
    fold,
    folded,
    progress,
    released,
    retry,
    started,
)


def test_the_first_creation_counts_and_a_repeat_is_ignored() -> None:
    job = folded(created())
    assert job.status is Status.PENDING
    assert evolve(job, fact(JOB, created(has_webhook=True), 5)) is job


def test_a_start_is_accepted_only_with_the_next_number() -> None:
    job = folded(created())
    assert evolve(job, appended(started(2), 3)) is job
    running = evolve(job, appended(started(1), 3))
    assert running is not None
    assert (running.status, running.attempt, running.run) == (Status.PROCESSING, 1, "worker-a/1")
    assert evolve(running, appended(started(1, "worker-b"), 4)) is running


def test_a_start_while_another_run_is_current_supersedes_it_and_is_a_loss() -> None:
    job = folded(created(), started(1), started(2, "worker-b"))
    assert (job.attempt, job.run, job.losses, job.retries) == (2, "worker-b/2", 1, 0)
    assert evolve(job, appended(completed("worker-a/1"), 9)) is job
    assert evolve(job, appended(progress("worker-a/1"), 9)) is job


def test_a_release_goes_back_to_pending_and_charges_nothing() -> None:
    job = folded(created(), started(1), released("worker-a/1"), started(2))
    assert (job.status, job.attempt, job.retries, job.losses) == (Status.PROCESSING, 2, 0, 0)


def test_a_retry_is_due_its_delay_after_the_append_whatever_the_writers_clock() -> None:
    running = folded(created(), started(1))
    late = replace(appended(retry("worker-a/1", 30.0), 2), appended_at=BEGAN + timedelta(hours=1))
    job = evolve(running, late)
    assert job is not None
    assert (job.status, job.retries, job.due) == (Status.PENDING, 1, BEGAN + timedelta(hours=1, seconds=30))
    assert job.error_code == "PROCESSOR_CRASHED"
    assert folded(created(), started(1), retry("worker-a/1"), started(2)).due is None


def test_before_it_is_appended_a_retry_is_due_by_the_writers_clock() -> None:
    job = evolve(folded(created(), started(1)), fact(JOB, retry("worker-a/1", 30.0), 2))
    assert job is not None
    assert job.due == BEGAN + timedelta(seconds=32)


def test_percent_never_falls_over_attempts_and_each_run_counts_its_progress_from_one() -> None:
    first = [created(), started(1), progress("worker-a/1", 3, 80), retry("worker-a/1"), started(2)]
    again = evolve(folded(*first), appended(progress("worker-a/2", 1, 20), 9))
    assert again is not None
    assert (again.percent, again.progress_sequence) == (80, 1)


def test_progress_out_of_order_or_repeated_is_ignored() -> None:
    job = folded(created(), started(1), progress("worker-a/1", 2, 40))
    assert evolve(job, appended(progress("worker-a/1", 1, 90), 9)) is job
    assert evolve(job, appended(progress("worker-a/1", 2, 90), 9)) is job


def test_completion_takes_the_last_error_away() -> None:
    job = folded(created(), started(1), retry("worker-a/1"), started(2), completed("worker-a/2"))
    assert (job.status, job.percent, job.error_code, job.error) == (Status.COMPLETED, 100, None, None)
    assert job.result == claim("worker-a/2/result")


def test_the_first_end_wins() -> None:
    done = folded(created(), started(1), completed("worker-a/1"))
    assert fold([appended(failed("worker-a/1"), 9), appended(CANCELLED, 9), appended(started(2), 9)], done) is done
    ended = folded(created(), started(1), CANCELLED)
    assert (ended.status, ended.error_code) == (Status.CANCELLED, "CANCELLED")
    assert evolve(ended, appended(completed("worker-a/1"), 9)) is ended


def test_a_job_cancelled_before_its_creation_is_a_stub_that_the_creation_fills_in() -> None:
    stub = folded(CANCELLED)
    assert (stub.created, stub.status, stub.parameters) == (False, Status.CANCELLED, None)
    assert evolve(stub, appended(started(1), 5)) is stub
    filled = evolve(stub, appended(created(), 6))
    assert filled is not None
    assert (filled.created, filled.status, filled.job_type) == (True, Status.CANCELLED, "noop")
    assert filled.parameters == claim("parameters")
    assert filled.ended_at == stub.ended_at
    assert evolve(filled, appended(created(), 7)) is filled


def test_a_job_erased_before_its_creation_stays_without_content() -> None:
    job = folded(ERASED, created())
    assert (job.created, job.erased, job.status, job.parameters) == (True, True, Status.CANCELLED, None)


def test_erasure_of_an_ended_job_keeps_its_end_and_removes_its_content() -> None:
    job = folded(created(), started(1), completed("worker-a/1"), ERASED)
    assert (job.status, job.erased, job.result, job.parameters) == (Status.COMPLETED, True, None, None)
    assert evolve(job, appended(ERASED, 9)) is job


def test_erasure_of_a_running_job_ends_it() -> None:
    job = folded(created(), started(1), progress("worker-a/1"), ERASED)
    assert (job.status, job.erased) == (Status.CANCELLED, True)
    assert job.ended_at == BEGAN + timedelta(seconds=3)


def test_a_completion_leaves_its_numbers_also_in_the_stored_form() -> None:
    job = folded(created(), started(1), completed("worker-a/1"))
    again = CODEC.validate_json(CODEC.dump_json(job))
    for one in (job, again):
        assert (one.method, one.bytes_in) == ("native", 7)
        assert one.counts == {"totalChunks": 3, "filesProcessed": 1}
    assert again == job


def test_a_state_stored_before_there_were_such_numbers_is_read() -> None:
    stored = json.loads(CODEC.dump_json(folded(created())))
    for name in ("method", "bytes_in", "counts"):
        del stored[name]
    assert CODEC.validate_json(json.dumps(stored)) == folded(created())


def test_times_are_clamped_so_that_they_never_go_back() -> None:
    job = fold([appended(created(), 100), appended(started(1), 50), appended(completed("worker-a/1"), 60)])
    assert job is not None
    assert job.created_at == job.started_at == job.ended_at == job.updated_at == BEGAN + timedelta(seconds=100)


def test_a_writers_clock_in_another_time_zone_means_the_same_instant() -> None:
    elsewhere = datetime(2026, 1, 1, 2, 0, 1, tzinfo=datetime.fromisoformat("2026-01-01T00:00:00+02:00").tzinfo)
    job = evolve(folded(created()), replace(appended(started(1)), time=elsewhere))
    assert job is not None
    assert job.started_at == datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "data",
    [
        JobStarted(number=1, run="r", worker="w"),
        JobCompleted(run="r", result=claim("r/result")),
        BatchCreated(count=1, specs=claim("specs"), body_sha256="0"),
    ],
    ids=lambda data: type(data).__name__,
)
def test_a_job_begins_with_its_creation_or_its_end_and_with_nothing_else(data: Event) -> None:
    assert evolve(None, fact(JOB, data)) is None


def test_the_readable_pages_are_those_of_the_last_run_that_has_any_until_the_end() -> None:
    first, second = (PageRecords(run=run, key="0f", count=1, last=9) for run in ("run-a", "run-b"))
    facts = [created(), begun("run-a", 1), readable("run-a", 1, first), readable("run-a", 2, None), retry("run-a")]
    assert folded(*facts).page_records == first
    facts += [begun("run-b", 2), readable("run-b", 1, None)]
    assert folded(*facts).page_records == first
    facts.append(readable("run-b", 2, second))
    assert folded(*facts).page_records == second
    for end in (completed("run-b"), JobFailed(run="run-b", error_code="X"), CANCELLED, ERASED):
        assert folded(*facts, end).page_records is None


def test_a_job_without_readable_pages_is_written_as_before_there_were_any() -> None:
    written = json.loads(CODEC.dump_json(folded(created(), started(1))))
    assert "page_records" not in written
    assert CODEC.validate_python(written).page_records is None


def begun(run: str, number: int) -> JobStarted:
    return JobStarted(number=number, run=run, worker="worker-a")


def readable(run: str, sequence: int, records: PageRecords | None) -> JobProgress:
    return JobProgress(run=run, sequence=sequence, step="reading", percent=10, page_records=records)
