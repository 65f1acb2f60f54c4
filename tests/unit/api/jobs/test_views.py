"""Jobs and batches as clients see them, from folded histories."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.batch import Batch
from piperoll.domain.job import Job, Status, evolve
from piperoll.log.record import Position
from schemas.events import (
    Event,
    JobCancelled,
    JobFailed,
    JobProgress,
    JobReleased,
    JobRetryScheduled,
    JobStarted,
    WebhookAbandoned,
    WebhookRedeliveryRequested,
)
from services.api.batches.views import batch_view
from services.api.jobs.views import JobContents, job_summary, job_view
from services.api.read_model.job_rows import BatchMember, BatchRow, JobRow, Noted
from tests.support.histories.jobs import BEGAN, claim, completed, created, fact, life

JOB = "job-1"
DOCUMENTS = JobContents(
    parameters={
        "job_type": "noop",
        "parameters": {"webhook": {"url": "https://x.example", "token": {"sealed": "k.x"}}},
    },
    result={"structured_data": {}, "assets": [], "target_dir": "/out"},
    error={"code": "INVALID_PDF", "message": "This is not a PDF.", "details": {"error_type": "FzErrorFormat"}},
)


def row(events: list[Event], failures: tuple[Event, ...] = ()) -> JobRow:
    job: Job | None = None
    accepted = []
    for second, event in enumerate(events):
        after = evolve(job, fact(JOB, event, second))
        if after is not job:
            accepted.append(noted(event, second))
        job = after
    assert job is not None
    return JobRow(
        job_id=JOB,
        owner=job.owner,
        status=job.status,
        job_type=job.job_type,
        user_id=job.user_id,
        target_id=None,
        batch_id=None,
        batch_index=None,
        created_at=job.created_at,
        updated_at=job.updated_at,
        erased=job.erased,
        position=Position(0, 1),
        job=job,
        batch=None,
        facts=tuple(accepted),
        failures=tuple(noted(event, 99) for event in failures),
    )


def noted(event: Event, second: int) -> Noted:
    return Noted.of(event.type_name(), fact(JOB, event, second).time, json.loads(event.model_dump_json()))


def messages(view: dict[str, Any]) -> list[tuple[str, str]]:
    return [(entry["level"], entry["message"]) for entry in view["logs"]]


def test_a_pending_job_has_no_progress_no_results_and_an_empty_log() -> None:
    view = job_view(row([created()]), DOCUMENTS)
    assert view["status"] == "pending"
    assert view["logs"] == []
    assert {"progress", "results", "error"}.isdisjoint(view)
    assert view["access_control"]["read_access"] == ["somebody"]


def test_a_completed_job_looks_like_the_sample_of_the_seed() -> None:
    view = job_view(row(life()), DOCUMENTS)
    assert view["status"] == "completed"
    assert view["progress"] == {"step": "completed", "percent": 100, "message": "Processing completed"}
    assert view["results"] == {"structured_data": {}, "assets": [], "asset_urls": [], "target_dir": "/out"}
    assert view["created_at"] == "2026-01-01T00:00:00Z"
    assert view["logs"][0] == {"timestamp": "2026-01-01T00:00:01Z", "level": "info", "message": "Job started"}


def test_a_sealed_token_is_shown_as_stars() -> None:
    view = job_view(row(life()), DOCUMENTS)
    assert view["parameters"]["webhook"]["token"] == "***"


def test_a_failed_job_keeps_its_percent_and_has_an_error() -> None:
    events = [*life()[:3], JobFailed(run="run-a", error_code="INVALID_PDF", details=claim("details"))]
    view = job_view(row(events), DOCUMENTS)
    assert view["status"] == "failed"
    assert view["progress"] == {"step": "error", "percent": 40, "message": "This is not a PDF."}
    assert view["error"] == DOCUMENTS.error
    assert ("error", "This is not a PDF.") in messages(view)
    assert "results" not in view


def test_erased_content_is_omitted_and_the_error_keeps_its_message() -> None:
    events = [*life()[:3], JobFailed(run="run-a", error_code="INVALID_PDF", details=claim("details"))]
    view = job_view(row(events), JobContents())
    assert "parameters" not in view
    assert view["error"]["code"] == "INVALID_PDF"
    assert view["error"]["message"]


def test_a_cancelled_job_is_shown_as_failed_with_its_own_code() -> None:
    view = job_view(row([*life()[:3], JobCancelled(by="acme", reason="TOO_LATE")]), DOCUMENTS)
    assert view["status"] == "failed"
    assert view["error"]["code"] == "CANCELLED"
    assert view["error"]["details"] == {"reason": "TOO_LATE"}
    assert view["progress"]["step"] == "error"
    assert view["progress"]["percent"] == 40


def test_the_log_lists_retries_releases_and_lost_workers() -> None:
    events = [
        created(),
        JobStarted(number=1, run="a", worker="w"),
        JobRetryScheduled(run="a", error_code="PROCESSOR_CRASHED", delay_s=5),
        JobStarted(number=2, run="b", worker="w"),
        JobReleased(run="b", reason="drain"),
        JobStarted(number=3, run="c", worker="w"),
        JobStarted(number=4, run="d", worker="w"),
        completed("d"),
    ]
    abandoned = WebhookAbandoned(delivery_id="msg_1", phase="completed", attempt=1, reason="GONE", status=410)
    logged = messages(job_view(row(events, (abandoned,)), DOCUMENTS))
    assert [level for level, _ in logged] == ["info", "warning", "info", "info", "info", "warning", "info", "warning"]
    assert logged[0][1] == "Job started"
    assert "Attempt 1 failed: The processor crashed on this input." in logged[1][1]
    assert logged[5][1] == "Attempt 3 lost its worker; attempt 4 started"
    assert logged[6][1] == "Processing completed"
    assert "given up" in logged[7][1]
    assert "410" in logged[7][1]


def test_a_requested_redelivery_is_logged_and_is_not_a_failure() -> None:
    asked = WebhookRedeliveryRequested(delivery_id="msg_1", phase="completed", request="a", by="acme")
    logged = messages(job_view(row(life(), (asked,)), DOCUMENTS))
    assert logged[-1] == ("info", "Webhook (completed) was asked for again")


def test_the_page_is_shown_while_pages_are_read() -> None:
    reading = JobProgress(run="run-a", sequence=1, step="extracting_text", percent=35, page=2, pages=9)
    progress = job_view(row([created(job_type="pdf"), life()[1], reading]), DOCUMENTS)["progress"]
    assert progress == {
        "step": "extracting_text",
        "percent": 35,
        "message": "Extracting text from PDF...",
        "page": 2,
        "pages": 9,
    }


@given(st.lists(st.sampled_from(list(Status)), min_size=1, max_size=8), st.integers(0, 3))
def test_a_batch_counts_its_members_under_both_sets_of_names(statuses: list[Status], missing: int) -> None:
    batch = Batch(
        batch_id="batch-1",
        owner="acme",
        user_id=None,
        name=None,
        specs=claim("specs"),
        count=len(statuses) + missing,
        body_sha256="0",
        created_at=BEGAN,
        appended_at=BEGAN,
    )
    members = tuple(BatchMember(f"job-{n}", status, datetime.now(UTC)) for n, status in enumerate(statuses))
    view = batch_view(BatchRow("acme", batch, Position(0, 0), members), None)
    assert view["job_count"] == view["total_jobs"] == batch.count
    assert view["completed_count"] == view["completed_jobs"] == statuses.count(Status.COMPLETED)
    ended = view["completed_jobs"] + view["failed_jobs"]
    assert view["failed_count"] == view["failed_jobs"]
    assert ended + view["pending_jobs"] + view["processing_jobs"] == batch.count
    assert (view["status"] in ("completed", "failed")) == (ended == batch.count) == ("completed_at" in view)
    assert view["batch_name"] == "batch-1"
    assert {job["status"] for job in view["jobs"]} <= {"pending", "processing", "completed", "failed"}


def test_notes_of_a_run_are_in_the_log_and_not_in_the_results() -> None:
    result = {"structured_data": {}, "assets": [], "target_dir": "/out", "notes": ["Fields were filled by rules."]}
    view = job_view(row(life()), replace(DOCUMENTS, result=result))
    assert messages(view)[-2:] == [("info", "Fields were filled by rules."), ("info", "Processing completed")]
    assert "notes" not in view["results"]


def test_a_cached_result_is_marked() -> None:
    events = [*life()[:-1], life()[-1].model_copy(update={"from_cache": True})]
    view = job_view(row(events), DOCUMENTS)
    assert view["is_from_cache"] is True
    assert messages(view)[-1] == ("info", "Processing completed from the cache")
    assert "is_from_cache" not in job_view(row(life()), DOCUMENTS)


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"event": "FOSDEM", "track": "Python", "session": "A Talk"}, "FOSDEM - Python - A Talk"),
        ({"event": "FOSDEM", "track": "", "session": "A Talk"}, "FOSDEM - A Talk"),
        ({"event": 7}, None),
        ({}, None),
    ],
)
def test_a_session_s_job_is_named_by_event_track_and_session(parameters: dict[str, Any], name: str | None) -> None:
    documents = JobContents(parameters={"job_type": "session", "parameters": parameters})
    assert job_view(row([created(job_type="session")]), documents).get("job_name") == name


def test_a_list_shows_a_job_without_its_results_and_log() -> None:
    whole, listed = job_view(row(life()), DOCUMENTS), job_summary(row(life()), DOCUMENTS)
    assert {name: value for name, value in whole.items() if name not in ("results", "logs")} == listed
