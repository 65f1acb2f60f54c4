"""Jobs as clients see them, from folded histories."""

from typing import Any

import pytest

from schemas.events import (
    JobCancelled,
    JobFailed,
    JobProgress,
)
from schemas.pages import PageRecords
from services.api.jobs.stream import event_of
from services.api.jobs.views import JobContents, job_summary, job_view
from tests.support.histories.jobs import claim, created, life
from tests.support.rows import CONTENTS, messages, row_of


def test_a_pending_job_has_no_progress_no_results_and_an_empty_log() -> None:
    view = job_view(row_of([created()]), CONTENTS)
    assert view["status"] == "pending"
    assert view["logs"] == []
    assert {"progress", "results", "error"}.isdisjoint(view)
    assert view["access_control"]["read_access"] == ["user-1"]


def test_a_completed_job_looks_like_the_sample_of_the_seed() -> None:
    view = job_view(row_of(life()), CONTENTS)
    assert view["status"] == "completed"
    assert view["progress"] == {"step": "completed", "percent": 100, "message": "Processing completed"}
    assert view["results"] == {"structured_data": {}, "assets": [], "asset_urls": [], "target_dir": "/out"}
    assert view["created_at"] == "2026-01-01T00:00:00Z"
    assert view["logs"][0] == {"timestamp": "2026-01-01T00:00:01Z", "level": "info", "message": "Job started"}


def test_a_sealed_token_is_shown_as_stars() -> None:
    view = job_view(row_of(life()), CONTENTS)
    assert view["parameters"]["webhook"]["token"] == "***"


def test_a_failed_job_keeps_its_percent_and_has_an_error() -> None:
    events = [*life()[:3], JobFailed(run="run-a", error_code="INVALID_PDF", details=claim("details"))]
    view = job_view(row_of(events), CONTENTS)
    assert view["status"] == "failed"
    assert view["progress"] == {"step": "error", "percent": 40, "message": "This is not a PDF."}
    assert view["error"] == CONTENTS.error
    assert ("error", "This is not a PDF.") in messages(view)
    assert "results" not in view


def test_erased_content_is_omitted_and_the_error_keeps_its_message() -> None:
    events = [*life()[:3], JobFailed(run="run-a", error_code="INVALID_PDF", details=claim("details"))]
    view = job_view(row_of(events), JobContents())
    assert "parameters" not in view
    assert view["error"]["code"] == "INVALID_PDF"
    assert view["error"]["message"]


def test_a_cancelled_job_is_shown_as_failed_with_its_own_code() -> None:
    view = job_view(row_of([*life()[:3], JobCancelled(by="acme", reason="TOO_LATE")]), CONTENTS)
    assert view["status"] == "failed"
    assert view["error"]["code"] == "CANCELLED"
    assert view["error"]["details"] == {"reason": "TOO_LATE"}
    assert view["progress"]["step"] == "error"
    assert view["progress"]["percent"] == 40


def test_the_page_is_shown_while_pages_are_read() -> None:
    reading = JobProgress(run="run-a", sequence=1, step="extracting_text", percent=35, page=2, pages=9)
    progress = job_view(row_of([created(job_type="pdf"), life()[1], reading]), CONTENTS)["progress"]
    assert progress == {
        "step": "extracting_text",
        "percent": 35,
        "message": "Extracting text from PDF...",
        "page": 2,
        "pages": 9,
    }


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
    assert job_view(row_of([created(job_type="session")]), documents).get("job_name") == name


def test_a_list_shows_a_job_without_its_results_and_log() -> None:
    whole, listed = job_view(row_of(life()), CONTENTS), job_summary(row_of(life()), CONTENTS)
    assert {name: value for name, value in whole.items() if name not in ("results", "logs")} == listed


def test_the_progress_names_the_last_readable_page_until_the_end() -> None:
    records = PageRecords(run="run-a", key="0f", count=3, last=40)
    events = [*life()[:2], JobProgress(run="run-a", sequence=1, step="s", percent=40, page_records=records)]
    assert job_view(row_of(events), CONTENTS)["progress"]["readable"] == 40
    _, sent = event_of(row_of(events), CONTENTS, "job-1")
    assert sent["data"] == {"progress": 40, "readable": 40}
    assert "readable" not in job_view(row_of([*events, life()[3]]), CONTENTS)["progress"]
