"""A job whose words cannot be read, whatever the reason, costs only its own words."""

from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from structlog.testing import capture_logs

from piperoll.domain.job import Job, Status
from schemas.job_types.declaration import JobType
from services.projector.words.reading import words_or_id

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job(
    job_id="job-1a2b",
    job_type="pdf",
    target_id="case-77",
    owner="owner",
    status=Status.COMPLETED,
    created_at=NOW,
    updated_at=NOW,
)


def faulty(*_: Any) -> str:
    raise KeyError("event")


def test_a_job_whose_type_raises_is_found_by_its_id_and_logged() -> None:
    with patch.object(JobType, "title", faulty), capture_logs() as logged:
        words = words_or_id(JOB, None, None)
    assert words == ["job", "1a2b"]
    assert [(one["event"], one["job_id"]) for one in logged] == [("words_unreadable", "job-1a2b")]
