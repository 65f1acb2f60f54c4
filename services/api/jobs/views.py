"""Jobs as clients see them (contract 3, 6 and 14, and the first seed). Pure: rows and documents in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from piperoll.domain.job import Status
from piperoll.job_types import job_types
from schemas.errors import SENTENCES, ErrorCode
from schemas.job_types.archives import file_name
from services.api.http.answers import timestamp
from services.api.jobs.requests import Submission, masked
from services.api.jobs.wording import error_sentence, log_entries
from services.api.read_model.job_rows import JobRow

ECHOED = frozenset({"batch_name", "archived", "isActive", "access_control"})
"""What a change is told without: it never changes, or stands in a blob."""


@dataclass(frozen=True, slots=True)
class JobContents:
    """The blobs that a job's claims lead to; None where there is none, or no longer."""

    parameters: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


def shown_status(status: Status) -> str:
    """A cancelled job reads `failed`: clients know four statuses, and would wait for ever on a fifth."""
    return Status.FAILED.value if status is Status.CANCELLED else status.value


def created_job(job_id: str, submission: Submission, created_at: datetime) -> dict[str, Any]:
    """The job in the answer to its creation: exactly the seed's keys, and of a restart what it repeats."""
    view = {
        "job_id": job_id,
        "job_type": submission.job_type,
        "status": Status.PENDING.value,
        "created_at": timestamp(created_at),
        "parameters": submission.shown(),
    }
    return view if submission.retry_of is None else {**view, "retry_of": submission.retry_of}


def job_view(row: JobRow, documents: JobContents) -> dict[str, Any]:
    """The whole Job of contract 3. What is not known, or was erased, is left out."""
    view = job_summary(row, documents)
    error = view.get("error")
    result = documents.result if row.status is Status.COMPLETED else None
    notes = result.get("notes", ()) if result else ()
    view["logs"] = log_entries(row.facts, row.failures, error["message"] if error else None, notes)
    return view if result is None else {**view, "results": shown_results(row.job_id, result)}


def job_summary(row: JobRow, documents: JobContents) -> dict[str, Any]:
    """The Job as lists show it: all but `results` and `logs`."""
    error = job_error(row, documents.error)
    parameters = documents.parameters and documents.parameters.get("parameters")
    job = row.job
    view = {
        "job_id": row.job_id,
        "job_type": row.job_type,
        "status": shown_status(row.status),
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
        "parameters": masked(parameters) if parameters is not None else None,
        "job_name": job_types().of(row.job_type).title(parameters or {}),
        "progress": _progress(row, error),
        "error": error,
        "user_id": row.user_id,
        "target_id": row.target_id,
        "batch_id": row.batch_id,
        "retry_of": job.retry_of if job else None,
        "attempt": job.attempt if job else 0,
        "is_from_cache": True if job and job.from_cache else None,
        "archived": False,
        "processing_started_at": timestamp(job.started_at) if job and job.started_at else None,
        "completed_at": timestamp(job.ended_at) if job and job.ended_at else None,
        "access_control": access_control(row.user_id),
    }
    return {name: value for name, value in view.items() if value is not None}


def changed_job(row: JobRow) -> dict[str, Any]:
    """A job as the owner's stream tells it: how it stands, without what it was asked and what it made."""
    summary = job_summary(row, JobContents())
    view = {name: value for name, value in summary.items() if name not in ECHOED}
    return {**view, "deleted": True} if row.erased else view


def shown_results(job_id: str, result: dict[str, Any]) -> dict[str, Any]:
    """The results of contract 6, with `asset_urls`: where each of `assets` is served, in the same order."""
    shown = {name: value for name, value in result.items() if name != "notes"}  # they stand in the logs
    if isinstance(assets := result.get("assets"), list):
        names = [file_name(asset, result) for asset in assets]
        shown["asset_urls"] = [name and f"/api/jobs/{job_id}/files/{quote(name)}" for name in names]
    return shown


def client_id(row: JobRow, documents: JobContents) -> str:
    """What the client calls the job: the webhook's `jobId`, else our own id (contract 7)."""
    parameters = (documents.parameters or {}).get("parameters") or {}
    webhook = parameters.get("webhook") or {}
    return str(webhook.get("jobId") or row.job_id)


def access_control(user_id: str | None) -> dict[str, Any]:
    """Echoed, not enforced (contract 14): the owner of the key is the only boundary."""
    users = [user_id] if user_id else []
    return {"visibility": "private", "read_access": users, "write_access": users, "admin_access": users}


def _progress(row: JobRow, error: dict[str, Any] | None) -> dict[str, Any] | None:
    """None before the first attempt. On failure the percent stays where it was (contract 3)."""
    job = row.job
    if error is not None:
        return {"step": "error", "percent": job.percent if job else 0, "message": error["message"]}
    if job is None or job.attempt == 0:
        return None
    step = job.step or "initializing"
    progress = {"step": step, "percent": job.percent, "message": job_types().of(row.job_type).step_message(step)}
    if job.page is not None and row.status is Status.PROCESSING:
        progress |= {"page": job.page, "pages": job.pages}
    return progress


def job_error(row: JobRow, document: dict[str, Any] | None) -> dict[str, Any] | None:
    """`{code, message, details}` of a job that failed or was cancelled."""
    if row.status is Status.CANCELLED:
        reasons = [fact.data.get("reason") for fact in row.facts if fact.name in ("JobCancelled", "JobErased")]
        details = {"reason": reasons[0]} if reasons and reasons[0] else {}
        return {"code": "CANCELLED", "message": SENTENCES[ErrorCode.CANCELLED], "details": details}
    if row.status is not Status.FAILED or row.job is None:
        return None
    code = row.job.error_code or ErrorCode.PROCESSING_ERROR.value
    if document is None:
        return {"code": code, "message": error_sentence(code), "details": {}}
    return {"code": code, "message": document["message"], "details": document.get("details", {})}
