"""The rows of jobs and batches in the read model, as frozen data."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from asyncpg import Record
from pydantic_core import from_json

from piperoll.domain import batch as batches
from piperoll.domain import job as jobs
from piperoll.domain.batch import Batch
from piperoll.domain.job import Job
from piperoll.log.record import Position


@dataclass(frozen=True, slots=True)
class NotedFact:
    """A fact about a job or its webhooks. `name` is the event's, such as `JobStarted`."""

    name: str
    time: datetime
    data: dict[str, Any]

    @classmethod
    def of(cls, type_name: str, time: datetime, data: dict[str, Any]) -> "NotedFact":
        """Build it from the CloudEvents type, such as `piperoll.JobStarted.v1`."""
        return cls(type_name.split(".")[1], time, data)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A projected job. `job` is None for a batch member without projected facts.

    `batch` and `batch_index` lead to the parameters of a member that was not created yet; `batch` is None afterwards.
    """

    job_id: str
    owner: str
    status: jobs.Status
    job_type: str
    user_id: str | None
    target_id: str | None
    batch_id: str | None
    batch_index: int | None
    created_at: datetime
    updated_at: datetime
    erased: bool
    position: Position
    job: Job | None
    batch: Batch | None
    facts: tuple[NotedFact, ...]
    failures: tuple[NotedFact, ...]

    @property
    def standing(self) -> "Standing":
        """Return the part of the state by which a change of the job is detected."""
        return Standing(self.status, self.job.sequence if self.job else 0)


@dataclass(frozen=True, slots=True)
class BatchMember:
    """A job in the list of its batch."""

    job_id: str
    status: jobs.Status
    updated_at: datetime
    erased: bool = False


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A projected batch with its members in their order."""

    owner: str
    batch: Batch
    position: Position
    members: tuple[BatchMember, ...]


@dataclass(frozen=True, slots=True)
class ListedBatch:
    """A batch in a list: the number of its members by status, and when the last of them changed."""

    batch: Batch
    counts: Counter[jobs.Status]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """A fact about one of an owner's jobs or batches; with the job's present row if this is its last fact.

    `batch_id` is the job's batch, or the one that the fact is about (`about_batch`). `counts`: the fact may change the
    batch's counts.
    """

    position: Position
    about_batch: bool
    counts: bool
    batch_id: str | None
    job: JobRow | None


class Standing(NamedTuple):
    """A job's status and the number of its accepted facts (0 before the first was projected)."""

    status: jobs.Status
    sequence: int


@dataclass(frozen=True, slots=True)
class Creation:
    """The creation of a job or batch; the hash of its body distinguishes a repeated key from a reused one."""

    created_at: datetime
    body_sha256: str
    position: Position


_JOB_COLUMNS = (
    *("job_id", "owner", "job_type", "user_id", "target_id", "batch_id", "batch_index"),
    *("created_at", "updated_at", "erased"),
)
"""The columns that `JobRow` has unchanged."""


def job_row(row: Record) -> JobRow:
    """Build the row from a record of the statement `job`."""
    return JobRow(
        **{name: row[name] for name in _JOB_COLUMNS},
        status=jobs.Status(row["status"]),
        position=reflected(row),
        job=jobs.CODEC.validate_json(row["state"]) if row["state"] else None,
        batch=batches.CODEC.validate_json(row["batch"]) if row["batch"] else None,
        facts=_noted(row["facts"]),
        failures=_noted(row["failures"]),
    )


def batch_row(row: Record, members: Iterable[Record]) -> BatchRow:
    """Build the row from records of the statements `batch` and `members`."""
    jobs_of_batch = tuple(
        BatchMember(one["job_id"], jobs.Status(one["status"]), one["updated_at"], one["erased"]) for one in members
    )
    return BatchRow(row["owner"], batches.CODEC.validate_json(row["state"]), reflected(row), jobs_of_batch)


def listed_batch(row: Record) -> ListedBatch:
    """Build the row from a record of the statement `list_batches`."""
    batch = batches.CODEC.validate_json(row["state"])
    counts = Counter({status: row[status.value] for status in jobs.Status})
    return ListedBatch(batch, counts, row["updated_at"] or batch.created_at)


def changed(row: Record) -> Changed:
    """Build the row from a record of the statement `changes`."""
    return Changed(
        position=Position(row["place"], row["log_offset"]),
        about_batch=row["about_batch"],
        counts=row["counts"],
        batch_id=row["batch_id"],
        job=job_row(row) if row["newest"] else None,
    )


def reflected(row: Record) -> Position:
    """Return the last position that a row reflects; its offset is -1 if nothing of the partition was projected."""
    return Position(row["partition"], (row["next_offset"] or 0) - 1)


def _noted(text: str | None) -> tuple[NotedFact, ...]:
    found = from_json(text) if text else []
    return tuple(NotedFact.of(one["type"], datetime.fromisoformat(one["time"]), one["data"]) for one in found)
