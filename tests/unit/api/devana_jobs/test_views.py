"""Jobs as the Devana API shows them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from piperoll.domain.job import Job, Status
from schemas.devana import STATUSES, target_of
from schemas.documents import ResolvedDocument, parameters_document
from schemas.job_types.registry import OWN
from services.api.devana_jobs.views import devana_job, new_devana_job
from services.api.read_model.job_rows import JobRow
from tests.support.devana import CLAIM, TYPES
from tests.support.rows import job_row

TIME = datetime(2026, 1, 1, 10, 29, 0, 123_456, tzinfo=UTC)
LATER = datetime(2026, 1, 1, 10, 35, 0, 999_999, tzinfo=UTC)


def row(status: Status = Status.PROCESSING, job: dict[str, Any] | None = None, **columns: Any) -> JobRow:
    folded = {
        "job_id": "job-1",
        "owner": "owner",
        "status": status,
        "created_at": TIME,
        "updated_at": LATER,
        "created": True,
        "job_type": "pdf",
        **(job or {}),
    }
    return job_row(Job(**folded), **columns)


def test_a_running_extraction_has_every_key_of_the_sample() -> None:
    folded = {"attempt": 1, "percent": 65, "pages": 45, "started_at": TIME, "bytes_in": 2_456_789}
    view = devana_job(row(job=folded, user_id="user", target_id="doc"), {"fileName": "report-2024.pdf"})
    assert view == {
        "id": "job-1",
        "userId": "user",
        "targetId": "doc",
        "type": "EXTRACTION",
        "status": "IN_PROGRESS",
        "progress": 65,
        "metadata": {"fileName": "report-2024.pdf", "fileSize": 2_456_789, "pageCount": 45},
        "startedAt": "2026-01-01T10:29:00.123Z",
        "createdAt": "2026-01-01T10:29:00.123Z",
        "updatedAt": "2026-01-01T10:35:00.999Z",
    }


def test_unknown_values_are_omitted() -> None:
    view = devana_job(row(Status.PENDING), {})
    assert view.keys() == {"id", "userId", "targetId", "type", "status", "createdAt", "updatedAt"}
    assert (view["userId"], view["targetId"]) == ("owner", "job-1"), "the key's owner, and the job itself"


def test_a_failed_job_has_its_error_twice() -> None:
    view = devana_job(row(Status.FAILED, {"attempt": 1, "ended_at": LATER}), {}, "The file is damaged.")
    assert (view["status"], view["error"], view["metadata"]["error"]) == (
        "ERROR",
        "The file is damaged.",
        "The file is damaged.",
    )
    assert view["completedAt"] == "2026-01-01T10:35:00.999Z"


@pytest.mark.parametrize(
    ("target_id", "batch_id", "expected"), [("doc", "batch", "doc"), (None, "batch", "batch"), (None, None, "job")]
)
def test_the_target_of_a_job_is_its_parameter_its_batch_or_itself(
    target_id: str | None, batch_id: str | None, expected: str
) -> None:
    assert target_of("job", target_id, batch_id) == expected


def test_every_type_except_noop_and_internal_ones_and_every_status_has_a_name() -> None:
    assert {one.name for one in OWN if not one.internal} - TYPES.keys() == {"noop"}
    assert {status.value for status in Status} == STATUSES.keys()
    assert OWN.devana("EXTRACTION") == ("extraction", "pdf")
    assert OWN.devana("GENERATION") == ("generation", "transformer")
    assert OWN.devana("IMPORT") == ("import", "session")
    assert OWN.devana("NONE") == ()


def test_a_new_job_is_pending_with_the_metadata_of_its_parameters() -> None:
    resolved = ResolvedDocument(document_id="doc-1", name="a.docx", content=CLAIM)
    body = parameters_document("extraction", {"document_id": "doc-1"}, resolved)
    assert new_devana_job("job-1", "owner", "extraction", TIME, "doc-1", body) == {
        "id": "job-1",
        "userId": "owner",
        "targetId": "doc-1",
        "type": "EXTRACTION",
        "status": "PENDING",
        "metadata": {
            "fileName": "a.docx",
            "fileSize": 2_456_789,
            "mimeType": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        },
        "createdAt": "2026-01-01T10:29:00.123Z",
        "updatedAt": "2026-01-01T10:29:00.123Z",
    }
