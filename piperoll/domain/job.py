"""The fold: what a job is after the facts about it. Everybody who reads the log uses this one.

Kafka has no compare-and-append, so writers cannot be refused; the fold arbitrates instead. A fact that does not
count leaves the job as it is: `evolve` then returns the very same object, which is how callers tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import singledispatch
from typing import Any

from pydantic import TypeAdapter

from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.errors import ErrorCode
from schemas.events import (
    Event,
    JobCancelled,
    JobCompleted,
    JobCreated,
    JobErased,
    JobFailed,
    JobProgress,
    JobReleased,
    JobRetryScheduled,
    JobStarted,
)


class Status(StrEnum):
    """Where a job stands: pending -> processing -> completed | failed | cancelled.

    A retry or a release goes back from processing to pending.
    """

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether nothing but erasure can follow."""
        return self in _TERMINAL


_TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job folded from its facts. Times are the writers' times, clamped so that they never go back.

    `attempt` is the number of the last accepted run and `run` its id while it is current. `retries` counts
    scheduled retries, `losses` the runs that another one superseded. `sequence` counts accepted facts: 1, 2, 3…
    A job cancelled or erased before it was created is a stub: terminal, with `created` false.
    """

    job_id: str
    owner: str
    status: Status
    created_at: datetime
    updated_at: datetime
    sequence: int = 1
    created: bool = False
    erased: bool = False
    job_type: str = ""
    user_id: str | None = None
    target_id: str | None = None
    batch_id: str | None = None
    retry_of: str | None = None
    priority: int = 5
    timeout_s: int = 3600
    max_attempts: int = 3
    has_webhook: bool = False
    body_sha256: str = ""
    work_sha256: str | None = None
    parameters: Claim | None = None
    attempt: int = 0
    run: str | None = None
    worker: str | None = None
    retries: int = 0
    losses: int = 0
    due: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    progress_sequence: int = 0
    step: str | None = None
    percent: int = 0
    page: int | None = None
    pages: int | None = None
    result: Claim | None = None
    assets: int = 0
    duration_ms: int | None = None
    from_cache: bool = False
    bytes_in: int | None = None
    method: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    error_code: str | None = None
    error: Claim | None = None


CODEC: TypeAdapter[Job] = TypeAdapter(Job)
"""The one JSON form of a job: in checkpoints, in the read model and in `piperoll verify`."""


Changes = dict[str, Any]
"""The fields that one fact sets. An empty one means that the fact does not count."""


def evolve(job: Job | None, fact: Fact) -> Job | None:
    """The job after `fact`. Total: any fact is allowed in any state, and one that does not count changes nothing.

    Returns `job` itself exactly when the fact was not accepted. Source: design.md, "One fold".
    """
    if job is None:
        return _begin(fact)
    changes = _after_the_end(job, fact.data) if job.status.terminal else _changes(fact.data, job)
    if not changes:
        return job
    return replace(job, **changes, **_stamp(job, fact, changes))


def _begin(fact: Fact) -> Job | None:
    """A new job, or a stub for one that was ended before its creation was read."""
    data = fact.data
    changes: Changes
    match data:
        case JobCreated():
            changes = {"status": Status.PENDING, **_creation(data)}
        case JobCancelled():
            changes = {**_CANCELLED, "ended_at": fact.time}
        case JobErased():
            changes = {**_CANCELLED, **_ERASED, "ended_at": fact.time}
        case _:
            return None
    return Job(job_id=fact.subject, owner=fact.owner, created_at=fact.time, updated_at=fact.time, **changes)


def _after_the_end(job: Job, data: Event) -> Changes:
    """Nothing changes a terminal job, but that a stub is filled in and that content is erased."""
    if isinstance(data, JobCreated) and not job.created:
        return {**_creation(data), **(_ERASED if job.erased else {})}
    if isinstance(data, JobErased) and not job.erased:
        return dict(_ERASED)
    return {}


def _creation(data: JobCreated) -> Changes:
    return {
        "created": True,
        "job_type": data.job_type,
        "user_id": data.user_id,
        "target_id": data.target_id,
        "batch_id": data.batch_id,
        "retry_of": data.retry_of,
        "priority": data.priority,
        "timeout_s": data.timeout_s,
        "max_attempts": data.max_attempts,
        "has_webhook": data.has_webhook,
        "body_sha256": data.body_sha256,
        "work_sha256": data.work_sha256,
        "parameters": data.parameters,
    }


_CANCELLED: Changes = {"status": Status.CANCELLED, "step": "error", "error_code": ErrorCode.CANCELLED, "error": None}
_ERASED: Changes = {"erased": True, "parameters": None, "result": None, "error": None}


def _stamp(job: Job, fact: Fact, changes: Changes) -> Changes:
    """Counts an accepted fact and moves the time on, never back. A delay counts from the append (KIP-32)."""
    now = max(job.updated_at, fact.time)
    stamp: Changes = {"sequence": job.sequence + 1, "updated_at": now}
    if isinstance(fact.data, JobStarted) and job.started_at is None:
        stamp["started_at"] = now
    if job.ended_at is None and changes.get("status", job.status).terminal:
        stamp["ended_at"] = now
    if isinstance(fact.data, JobRetryScheduled):
        stamp["due"] = fact.known_at + timedelta(seconds=fact.data.delay_s)
    elif job.due is not None:
        stamp["due"] = None
    return stamp


@singledispatch
def _changes(data: Event, job: Job) -> Changes:
    """What one fact changes in an open job."""
    return {}


@_changes.register
def _(data: JobStarted, job: Job) -> Changes:
    if data.number != job.attempt + 1:
        return {}
    lost = job.status is Status.PROCESSING
    return {
        "status": Status.PROCESSING,
        "attempt": data.number,
        "run": data.run,
        "worker": data.worker,
        "losses": job.losses + 1 if lost else job.losses,
        "progress_sequence": 0,
    }


@_changes.register
def _(data: JobProgress, job: Job) -> Changes:
    if not _current(job, data.run) or data.sequence <= job.progress_sequence:
        return {}
    return {
        "progress_sequence": data.sequence,
        "step": data.step,
        "percent": max(job.percent, data.percent),
        "page": data.page,
        "pages": data.pages,
    }


@_changes.register
def _(data: JobReleased, job: Job) -> Changes:
    if not _current(job, data.run):
        return {}
    return {"status": Status.PENDING, "run": None, "worker": None}


@_changes.register
def _(data: JobRetryScheduled, job: Job) -> Changes:
    if not _current(job, data.run):
        return {}
    return {
        "status": Status.PENDING,
        "run": None,
        "worker": None,
        "retries": job.retries + 1,
        "error_code": data.error_code,
        "error": data.details,
    }


@_changes.register
def _(data: JobCompleted, job: Job) -> Changes:
    if not _current(job, data.run):
        return {}
    return {
        "status": Status.COMPLETED,
        "step": "completed",
        "percent": 100,
        "pages": data.pages if data.pages is not None else job.pages,
        "result": data.result,
        "assets": data.assets,
        "duration_ms": data.duration_ms,
        "from_cache": data.from_cache,
        "bytes_in": data.bytes_in,
        "method": data.method,
        "counts": data.counts,
        "error_code": None,
        "error": None,
    }


@_changes.register
def _(data: JobFailed, job: Job) -> Changes:
    if not _current(job, data.run):
        return {}
    return {
        "status": Status.FAILED,
        "step": "error",
        "error_code": data.error_code,
        "error": data.details,
        "duration_ms": data.duration_ms,
    }


@_changes.register
def _(data: JobCancelled, job: Job) -> Changes:
    return dict(_CANCELLED)


@_changes.register
def _(data: JobErased, job: Job) -> Changes:
    return {**_CANCELLED, **_ERASED}


def _current(job: Job, run: str) -> bool:
    return job.status is Status.PROCESSING and job.run == run
