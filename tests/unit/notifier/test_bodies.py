"""The body of a notice."""

import json
from typing import Any

import pytest

from schemas.events import (
    JobStarted,
)
from services.notifier.notices.bodies import notice_body
from services.notifier.notices.changes import Change
from tests.support.histories.notices import COMPLETED, CREATED, changes, claimed


def test_the_body_equals_the_row_of_the_list() -> None:
    *_, done = changes(CREATED, JobStarted(number=1, run="a", worker="w"), COMPLETED)
    document = {"job_type": "pdf", "parameters": {"filename": "/files/report.pdf"}}
    body = json.loads(notice_body(claimed(**vars_of(done)), json.dumps(document).encode(), None))
    assert body == {
        "jobId": "job-1",
        "status": "DONE",
        "targetId": "doc-1",
        "type": "EXTRACTION",
        "metadata": {
            "fileName": "report.pdf",
            "fileSize": 10,
            "mimeType": "application/pdf",
            "pageCount": 3,
            "extractionMethod": "native",
            "words": 7,
        },
    }


def vars_of(change: Change) -> dict[str, Any]:
    return {name: getattr(change, name) for name in Change.__slots__}


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (b'{"message": "It is empty."}', "It is empty."),
        (None, "The file is not a PDF that can be opened."),
    ],
)
def test_a_failure_has_its_message_and_other_statuses_do_not(details: bytes | None, message: str) -> None:
    failed = claimed(status="ERROR", error_code="INVALID_PDF")
    assert json.loads(notice_body(failed, None, details))["metadata"]["error"] == message
    assert "error" not in json.loads(notice_body(claimed(error_code="INVALID_PDF"), None, details))["metadata"]


def test_a_trial_is_marked_as_one() -> None:
    body = json.loads(notice_body(claimed(status="PENDING", trial=True), None, None))
    assert (body["metadata"]["test"], body["targetId"]) == (True, "endpoint-1")


def test_content_that_is_not_an_object_is_unreadable() -> None:
    with pytest.raises(ValueError, match="JSON"):
        notice_body(claimed(), b"[]", None)
