"""Batches as clients see them (docs/contract/secretary.md#batch). Pure: rows in."""

from collections import Counter
from datetime import datetime
from typing import Any

from piperoll.domain.batch import Batch, status_of
from piperoll.domain.job import Status
from services.api.http.answers import timestamp
from services.api.jobs.requests import BatchSubmission
from services.api.jobs.views import ECHOED, access_control, created_job, shown_status
from services.api.outlook.views import Outlook
from services.api.read_model.job_rows import BatchRow, ListedBatch


def created_batch(
    batch_id: str, submission: BatchSubmission, job_ids: list[str], created_at: datetime
) -> dict[str, Any]:
    """Return the batch in the answer to its creation, with whole jobs."""
    jobs = [created_job(job_id, job, created_at) for job_id, job in zip(job_ids, submission.jobs, strict=True)]
    counts = Counter({Status.PENDING: len(jobs)})
    name = submission.name or batch_id
    view = _batch(batch_id, name, counts, created_at, created_at, submission.user_id)
    return {**view, "jobs": jobs}


def batch_view(row: BatchRow, name: str | None, outlook: Outlook | None = None) -> dict[str, Any]:
    """Return the whole Batch of docs/contract/secretary.md#batch, under the seed's names and upstream's."""
    batch = row.batch
    counts = Counter(member.status for member in row.members)
    counts[Status.PENDING] += batch.count - len(row.members)
    updated_at = max((member.updated_at for member in row.members), default=batch.created_at)
    view = _batch(batch.batch_id, name or batch.batch_id, counts, batch.created_at, updated_at, batch.user_id)
    view |= _eta(batch, counts, outlook)
    jobs = [{"job_id": member.job_id, "status": shown_status(member.status)} for member in row.members]
    return {**view, "jobs": jobs}


def batch_summary(listed: ListedBatch, name: str | None, outlook: Outlook | None = None) -> dict[str, Any]:
    """Return the Batch as lists show it: without its jobs."""
    batch, counts = listed.batch, Counter(listed.counts)
    counts[Status.PENDING] += batch.count - counts.total()
    name = name or batch.batch_id
    view = _batch(batch.batch_id, name, counts, batch.created_at, listed.updated_at, batch.user_id)
    return view | _eta(batch, counts, outlook)


def _eta(batch: Batch, counts: Counter[Status], outlook: Outlook | None) -> dict[str, Any]:
    """Return `{eta}` of a batch that has not ended, if it is known."""
    ended = sum(counts[status] for status in Status if status.terminal)
    eta = outlook and outlook.of_batch(batch, ended, counts[Status.PROCESSING])
    return {} if eta is None else {"eta": eta}


def _batch(
    batch_id: str, name: str, counts: Counter[Status], created_at: datetime, updated_at: datetime, user_id: str | None
) -> dict[str, Any]:
    total, completed = counts.total(), counts[Status.COMPLETED]
    failed = counts[Status.FAILED] + counts[Status.CANCELLED]
    status = status_of(total, total - counts[Status.PENDING], completed, completed + failed)
    view = {
        "batch_id": batch_id,
        "batch_name": name,
        "status": status,
        "job_count": total,
        "completed_count": completed,
        "failed_count": failed,
        "total_jobs": total,
        "completed_jobs": completed,
        "failed_jobs": failed,
        "pending_jobs": counts[Status.PENDING],
        "processing_jobs": counts[Status.PROCESSING],
        "created_at": timestamp(created_at),
        "updated_at": timestamp(updated_at),
        "completed_at": timestamp(updated_at) if status in ("completed", "failed") else None,
        "archived": False,
        "isActive": True,
        "user_id": user_id,
        "access_control": access_control(user_id),
    }
    return {name: value for name, value in view.items() if value is not None}


def changed_batch(listed: ListedBatch, outlook: Outlook | None = None) -> dict[str, Any]:
    """Return a batch as the owner's stream shows it: its counts."""
    return {name: value for name, value in batch_summary(listed, None, outlook).items() if name not in ECHOED}
