"""Rows of the read model, as the views get them."""

import json
from datetime import UTC, datetime
from typing import Any

from piperoll.domain.job import Job, evolve
from piperoll.log.record import Position
from schemas.claims import Claim
from schemas.events import Event
from services.api.jobs.views import JobContents
from services.api.read_model.document_rows import FolderRow
from services.api.read_model.job_rows import JobRow, NotedFact
from tests.support.histories.jobs import fact

JOB = "job-1"
NOW = datetime(2026, 1, 1, 10, 29, tzinfo=UTC)
DOCUMENT_ID = "doc-2b7d6a0c-55e1-4f7b-9a41-6a3c0c1d9e20"
CONTENT = Claim(uri=f"documents/{DOCUMENT_ID}/abc", sha256="abc", size=12, media_type="text/markdown")
FOLDER = FolderRow("folder-1", "o", "Documentation", None, 500, False, NOW, NOW, 12)
CONTENTS = JobContents(
    parameters={
        "job_type": "noop",
        "parameters": {"webhook": {"url": "https://x.example", "token": {"sealed": "k.x"}}},
    },
    result={"structured_data": {}, "assets": [], "target_dir": "/out"},
    error={"code": "INVALID_PDF", "message": "This is not a PDF.", "details": {"error_type": "FzErrorFormat"}},
)
"""The parameters, result and error of a job."""


def job_row(job: Job, **columns: Any) -> JobRow:
    """The row of a job; `columns` override those that follow from it."""
    known = {
        "job_id": job.job_id,
        "owner": job.owner,
        "status": job.status,
        "job_type": job.job_type,
        "user_id": job.user_id,
        "target_id": None,
        "batch_id": None,
        "batch_index": None,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "erased": job.erased,
        "position": Position(0, 0),
        "job": job,
        "batch": None,
        "facts": (),
        "failures": (),
    }
    return JobRow(**{**known, **columns})


def row_of(events: list[Event], failures: tuple[Event, ...] = ()) -> JobRow:
    """The row of a job with these facts, and these failed deliveries."""
    job: Job | None = None
    accepted = []
    for second, event in enumerate(events):
        after = evolve(job, fact(JOB, event, second))
        if after is not job:
            accepted.append(noted(event, second))
        job = after
    assert job is not None
    return job_row(job, facts=tuple(accepted), failures=tuple(noted(event, 99) for event in failures))


def noted(event: Event, second: int) -> NotedFact:
    return NotedFact.of(event.type_name(), fact(JOB, event, second).time, json.loads(event.model_dump_json()))


def messages(view: dict[str, Any]) -> list[tuple[str, str]]:
    """The levels and messages of the log in a view."""
    return [(entry["level"], entry["message"]) for entry in view["logs"]]
