"""Jobs as clients of the Devana API see them (docs/contract/devana.md#list-of-jobs). Pure.

Names and metadata are those of `schemas.devana` and of the job types, which the notices of the notifier share.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from piperoll.domain.job import Job, Status
from piperoll.job_types import job_types
from schemas.devana import STATUSES, Devana, Figures, target_of
from services.api.http.answers import devana_timestamp
from services.api.read_model.job_rows import JobRow

Json = dict[str, Any]


def devana_job(row: JobRow, described: Mapping[str, Any], error: str | None = None) -> Json:
    """Return the seed's Job without unknown fields. `described` is the metadata from its parameters
    (`Devana.described`), `error` the sentence it failed with."""
    job, devana = row.job, devana_of(row.job_type)
    view: Json = {
        "id": row.job_id,
        "userId": row.user_id or row.owner,
        "targetId": target_of(row.job_id, row.target_id, row.batch_id),
        "type": devana.type,
        "status": STATUSES[row.status.value],
        "progress": job.percent if job and job.attempt else None,
        "metadata": devana.measured(described, _figures(job), error) or None,
        "error": error,
        "startedAt": _time(job.started_at if job else None),
        "completedAt": _time(job.ended_at if job else None),
        "createdAt": devana_timestamp(row.created_at),
        "updatedAt": devana_timestamp(row.updated_at),
    }
    return {name: value for name, value in view.items() if value is not None}


def new_devana_job(
    job_id: str, user_id: str, job_type: str, created_at: datetime, target_id: str, body: Mapping[str, Any]
) -> Json:
    """Return the job in the answer to its creation: PENDING (docs/contract/devana.md#retry and
    docs/contract/decisions.md#a22). `body` is the content of its parameters' claim."""
    devana = devana_of(job_type)
    metadata = devana.described(body)
    return {
        "id": job_id,
        "userId": user_id,
        "targetId": target_of(job_id, target_id, None),
        "type": devana.type,
        "status": STATUSES[Status.PENDING.value],
        **({"metadata": metadata} if metadata else {}),
        "createdAt": devana_timestamp(created_at),
        "updatedAt": devana_timestamp(created_at),
    }


def devana_of(job_type: str) -> Devana:
    """Return how the Devana API shows jobs of a type, which must be one that it shows."""
    devana = job_types().of(job_type).devana
    assert devana is not None, f"{job_type} has no Devana type"
    return devana


def _figures(job: Job | None) -> Figures:
    if job is None:
        return Figures()
    return Figures(method=job.method, pages=job.pages, bytes_in=job.bytes_in, counts=job.counts)


def _time(time: datetime | None) -> str | None:
    return devana_timestamp(time) if time is not None else None
