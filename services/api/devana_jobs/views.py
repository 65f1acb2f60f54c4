"""Jobs as clients of the Devana jobs API see them. Pure: rows and what their documents tell.
See docs/contract/devana.md#list-of-jobs.

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


def devana_job(row: JobRow, told: Mapping[str, Any], error: str | None = None) -> Json:
    """The Job interface of the seed: what is not known is left out.

    `told` is the metadata that its parameters make (`Devana.described`), `error` the sentence it failed with.
    """
    job, shown_as = row.job, devana_of(row.job_type)
    view: Json = {
        "id": row.job_id,
        "userId": row.user_id or row.owner,
        "targetId": target_of(row.job_id, row.target_id, row.batch_id),
        "type": shown_as.type,
        "status": STATUSES[row.status.value],
        "progress": job.percent if job and job.attempt else None,
        "metadata": shown_as.measured(told, _figures(job), error) or None,
        "error": error,
        "startedAt": _time(job.started_at if job else None),
        "completedAt": _time(job.ended_at if job else None),
        "createdAt": devana_timestamp(row.created_at),
        "updatedAt": devana_timestamp(row.updated_at),
    }
    return {name: value for name, value in view.items() if value is not None}


def new_devana_job(
    job_id: str,
    owner: str,
    job_type: str,
    created_at: datetime,
    *,
    user_id: str | None = None,
    target_id: str | None = None,
    document: Mapping[str, Any] | None = None,
) -> Json:
    """The job in the answer to its creation, before any row of it was read: PENDING.
    See docs/contract/devana.md#retry and docs/contract/decisions.md#a22.

    `document` is its parameters document (`schemas.documents.parameters_document`).
    """
    shown_as = devana_of(job_type)
    told = shown_as.described(document)
    return {
        "id": job_id,
        "userId": user_id or owner,
        "targetId": target_of(job_id, target_id, None),
        "type": shown_as.type,
        "status": STATUSES[Status.PENDING.value],
        **({"metadata": told} if told else {}),
        "createdAt": devana_timestamp(created_at),
        "updatedAt": devana_timestamp(created_at),
    }


def devana_of(job_type: str) -> Devana:
    """How jobs of a type are shown. Only types that the Devana API shows are asked for."""
    shown_as = job_types().of(job_type).devana
    assert shown_as is not None, f"{job_type} has no Devana type"
    return shown_as


def _figures(job: Job | None) -> Figures:
    if job is None:
        return Figures()
    return Figures(method=job.method, pages=job.pages, bytes_in=job.bytes_in, counts=job.counts)


def _time(time: datetime | None) -> str | None:
    return devana_timestamp(time) if time is not None else None
