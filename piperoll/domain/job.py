"""The fold of a job: its state after the facts about it. Every reader of the log uses this one.

Kafka has no compare-and-append, so writers cannot be refused; the fold arbitrates instead. For a fact that does not
count, `evolve` returns the same object.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field, TypeAdapter

from piperoll.domain.changed import changed
from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.errors import ErrorCode
from schemas.events import (
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
from schemas.pages import PageRecords


class Status(StrEnum):
    """The status of a job: pending -> processing -> completed | failed | cancelled; a retry leads back to pending."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether only an erasure can follow."""
        return self in _TERMINAL


_TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job folded from its facts. Times are the writers' times, clamped so that they never go back.

    `attempt` is the number of the last accepted run, and `run` its id while it is current. `unchecked`: not begun, and
    perhaps a repeat of a job that a reader without the whole history has forgotten. `retries` counts charged
    retries, `losses` superseded runs. `sequence` counts accepted facts: 1, 2, 3… A job cancelled or erased before it
    was created is a stub: terminal, with `created` false.
    `page_records` are those of the last run that has any, until the end; a job without them is written without the key.
    """

    job_id: str
    owner: str
    status: Status
    created_at: datetime
    updated_at: datetime
    sequence: int = 1
    created: bool = False
    unchecked: bool = False
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
    page_records: Annotated[PageRecords | None, Field(exclude_if=lambda records: records is None)] = None
    result: Claim | None = None
    assets: int = 0
    duration_ms: int | None = None
    from_cache: bool = False
    bytes_in: int | None = None
    method: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    error_code: str | None = None
    error: Claim | None = None

    def is_running(self, run: str) -> bool:
        """Whether `run` is the current run."""
        return self.status is Status.PROCESSING and self.run == run


CODEC: TypeAdapter[Job] = TypeAdapter(Job)
"""The one JSON form of a job: in checkpoints, in the read model and in `piperoll verify`."""


def evolve(job: Job | None, fact: Fact) -> Job | None:
    """The job after `fact`. Total: any fact is allowed in any state, and one that does not count changes nothing.

    Returns `job` itself exactly when the fact was not accepted. Source: docs/architecture.md#the-states-of-a-job.
    """
    old = job or _unknown(fact)
    now = max(old.updated_at, fact.time)
    # fmt: off
    match fact.data:
        case JobCreated() as data if not old.created:  # a job ended before its creation was read is filled in
            return changed(
                old, sequence=old.sequence + 1, updated_at=now, created=True, unchecked=data.unchecked,
                job_type=data.job_type, body_sha256=data.body_sha256, work_sha256=data.work_sha256,
                user_id=data.user_id, target_id=data.target_id, batch_id=data.batch_id, retry_of=data.retry_of,
                priority=data.priority, timeout_s=data.timeout_s, max_attempts=data.max_attempts,
                has_webhook=data.has_webhook, parameters=None if old.erased else data.parameters,
            )
        case JobStarted() as data if old.created and not old.status.terminal and data.number == old.attempt + 1:
            lost = old.status is Status.PROCESSING  # the previous run was superseded
            return changed(
                old, sequence=old.sequence + 1, updated_at=now, status=Status.PROCESSING, due=None,
                attempt=data.number, run=data.run, worker=data.worker, started_at=old.started_at or now,
                losses=old.losses + lost, progress_sequence=0, unchecked=False,
            )
        case JobProgress() as data if old.is_running(data.run) and data.sequence > old.progress_sequence:
            return changed(
                old, sequence=old.sequence + 1, updated_at=now, progress_sequence=data.sequence,
                step=data.step, percent=max(old.percent, data.percent), page=data.page, pages=data.pages,
                page_records=data.page_records or old.page_records,
            )
        case JobReleased() as data if old.is_running(data.run):
            return changed(old, sequence=old.sequence + 1, updated_at=now, status=Status.PENDING, run=None, worker=None)
        case JobRetryScheduled() as data if old.is_running(data.run):
            return changed(
                old, sequence=old.sequence + 1, updated_at=now, status=Status.PENDING, run=None, worker=None,
                retries=old.retries + data.charged, error_code=data.error_code, error=data.details,
                due=fact.known_at + timedelta(seconds=data.delay_s),  # counts from the append (KIP-32)
            )
        case JobCompleted() as data if old.is_running(data.run):
            return changed(
                old, sequence=old.sequence + 1, updated_at=now, status=Status.COMPLETED, ended_at=now,
                step="completed", percent=100, pages=old.pages if data.pages is None else data.pages,
                result=data.result, assets=data.assets, duration_ms=data.duration_ms, from_cache=data.from_cache,
                bytes_in=data.bytes_in, method=data.method, counts=data.counts, error_code=None, error=None,
                page_records=None,
            )
        case JobFailed() as data if old.is_running(data.run):
            return changed(
                old, sequence=old.sequence + 1, updated_at=now, status=Status.FAILED, ended_at=now,
                step="error", error_code=data.error_code, error=data.details, duration_ms=data.duration_ms,
                page_records=None,
            )
        case JobCancelled() | JobErased() if not old.status.terminal:
            return _cancelled(old, now, erased=isinstance(fact.data, JobErased))
        case JobErased() if not old.erased:
            return changed(
                old, sequence=old.sequence + 1, updated_at=now, erased=True, parameters=None, result=None, error=None
            )
    # fmt: on
    return job


def _cancelled(old: Job, now: datetime, erased: bool) -> Job:
    """The end of an open job that was cancelled, or erased."""
    return changed(
        old,
        sequence=old.sequence + 1,
        updated_at=now,
        status=Status.CANCELLED,
        ended_at=now,
        due=None,
        step="error",
        error_code=ErrorCode.CANCELLED,
        error=None,
        page_records=None,
        erased=erased,
        parameters=None if erased else old.parameters,
    )


def _unknown(fact: Fact) -> Job:
    """The state before a job's first fact."""
    return Job(
        job_id=fact.subject,
        owner=fact.owner,
        status=Status.PENDING,
        created_at=fact.time,
        updated_at=fact.time,
        sequence=0,
    )
