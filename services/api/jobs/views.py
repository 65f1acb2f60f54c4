"""Jobs as clients see them (docs/contract/secretary.md#job, #results, #batch). Pure: rows and contents in."""

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
from services.api.outlook.views import Outlook
from services.api.read_model.job_rows import JobRow

ECHOED = frozenset({"batch_name", "archived", "isActive", "access_control"})
"""Fields that events of the owner's stream omit: they never change, or need a blob."""


@dataclass(frozen=True, slots=True)
class JobContents:
    """The contents of a job's claims; None without a claim, and if the blob was erased."""

    parameters: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


def shown_status(status: Status) -> str:
    """Return a client's status: cancelled jobs are `failed`, as clients know only four statuses."""
    return Status.FAILED.value if status is Status.CANCELLED else status.value


def created_job(job_id: str, submission: Submission, created_at: datetime) -> dict[str, Any]:
    """Return the job in the answer to its creation: the seed's keys, and for a restart the job that it repeats."""
    view = {
        "job_id": job_id,
        "job_type": submission.job_type,
        "status": Status.PENDING.value,
        "created_at": timestamp(created_at),
        "parameters": masked(submission.sent),
    }
    return view if submission.retry_of is None else {**view, "retry_of": submission.retry_of}


def job_view(row: JobRow, contents: JobContents, outlook: Outlook | None = None) -> dict[str, Any]:
    """Return the whole Job of docs/contract/secretary.md#job, without fields that are unknown or were erased."""
    view = job_summary(row, contents, outlook)
    error = view.get("error")
    result = contents.result if row.status is Status.COMPLETED else None
    notes = result.get("notes", ()) if result else ()
    view["logs"] = log_entries(row.facts, row.failures, error["message"] if error else None, notes)
    return view if result is None else {**view, "results": shown_results(row.job_id, result)}


def job_summary(row: JobRow, contents: JobContents, outlook: Outlook | None = None) -> dict[str, Any]:
    """Return the Job as lists show it: without `results` and `logs`; with its `eta` by an outlook."""
    error = job_error(row, contents.error)
    parameters = contents.parameters and contents.parameters.get("parameters")
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
        "eta": outlook and outlook.of_job(row, parameters),
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


def changed_job(row: JobRow, outlook: Outlook | None = None) -> dict[str, Any]:
    """Return a job as the owner's stream shows it: without parameters and results."""
    summary = job_summary(row, JobContents(), outlook)
    view = {name: value for name, value in summary.items() if name not in ECHOED}
    return {**view, "deleted": True} if row.erased else view


def shown_results(job_id: str, result: dict[str, Any]) -> dict[str, Any]:
    """Return the results of docs/contract/secretary.md#results, with `asset_urls` in the order of `assets`."""
    shown = {name: value for name, value in result.items() if name != "notes"}  # the logs have them
    if isinstance(assets := result.get("assets"), list):
        names = [file_name(asset, result) for asset in assets]
        shown["asset_urls"] = [name and f"/api/jobs/{job_id}/files/{quote(name)}" for name in names]
    return shown


def client_id(row: JobRow, contents: JobContents) -> str:
    """Return the client's id: the webhook's `jobId`, else the job id (docs/contract/secretary.md#webhooks)."""
    parameters = (contents.parameters or {}).get("parameters") or {}
    webhook = parameters.get("webhook") or {}
    return str(webhook.get("jobId") or row.job_id)


def access_control(user_id: str | None) -> dict[str, Any]:
    """Return the rights, which are not enforced (docs/contract/secretary.md#batch): only the key's owner has access."""
    users = [user_id] if user_id else []
    return {"visibility": "private", "read_access": users, "write_access": users, "admin_access": users}


def _progress(row: JobRow, error: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the progress; None before an attempt. A failure keeps the percent (docs/contract/secretary.md#job)."""
    job = row.job
    if error is not None:
        return {"step": "error", "percent": job.percent if job else 0, "message": error["message"]}
    if job is None or job.attempt == 0:
        return None
    step = job.step or "initializing"
    progress = {"step": step, "percent": job.percent, "message": job_types().of(row.job_type).step_message(step)}
    if job.page is not None and row.status is Status.PROCESSING:
        progress |= {"page": job.page, "pages": job.pages}
    if job.page_records is not None:
        progress["readable"] = job.page_records.last
    return progress


def job_error(row: JobRow, content: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return `{code, message, details}` of a job that failed or was cancelled; `content` is that of its error claim."""
    if row.status is Status.CANCELLED:
        reasons = [fact.data.get("reason") for fact in row.facts if fact.name in ("JobCancelled", "JobErased")]
        details = {"reason": reasons[0]} if reasons and reasons[0] else {}
        return {"code": "CANCELLED", "message": SENTENCES[ErrorCode.CANCELLED], "details": details}
    if row.status is not Status.FAILED or row.job is None:
        return None
    code = row.job.error_code or ErrorCode.PROCESSING_ERROR.value
    if content is None:
        return {"code": code, "message": error_sentence(code), "details": {}}
    return {"code": code, "message": content["message"], "details": content.get("details", {})}
