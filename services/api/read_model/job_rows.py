"""What the read model answers, as frozen data. No SQL, no view."""

from collections import Counter
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
class Noted:
    """One fact about a job or its webhooks. `name` is the event's, such as `JobStarted`."""

    name: str
    time: datetime
    data: dict[str, Any]

    @classmethod
    def of(cls, type_name: str, time: datetime, data: dict[str, Any]) -> "Noted":
        """From the CloudEvents type, such as `piperoll.JobStarted.v1`."""
        return cls(type_name.split(".")[1], time, data)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job as it was projected. `job` is None for a batch member of which no fact was read yet.

    `batch` and `batch_index` lead to the parameters of a member that was not created yet; None once it was.
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
    facts: tuple[Noted, ...]
    failures: tuple[Noted, ...]

    @property
    def standing(self) -> "Standing":
        """The state by which a change of the job is detected."""
        return Standing(self.status, self.job.sequence if self.job else 0)


@dataclass(frozen=True, slots=True)
class BatchMember:
    """A job of a batch, as the batch lists it."""

    job_id: str
    status: jobs.Status
    updated_at: datetime
    erased: bool = False


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch as it was projected, with its members in their order."""

    owner: str
    batch: Batch
    position: Position
    members: tuple[BatchMember, ...]


@dataclass(frozen=True, slots=True)
class ListedBatch:
    """A batch as lists show it: how many of its members stand how, and when the last of them changed."""

    batch: Batch
    counts: Counter[jobs.Status]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """A fact about one of an owner's jobs or batches, with the job as it stands now where this is its last fact.

    `batch_id` is the job's batch, or the one that the fact is about (`about_batch`). `counts`: the batch may
    show other counts since.
    """

    position: Position
    about_batch: bool
    counts: bool
    batch_id: str | None
    job: JobRow | None


class Standing(NamedTuple):
    """How a job stands: its status, and how many facts were accepted so far (0: none was read yet)."""

    status: jobs.Status
    sequence: int


@dataclass(frozen=True, slots=True)
class Creation:
    """What a job or batch was created with, which distinguishes a repeated key from a reused one."""

    created_at: datetime
    body_sha256: str
    position: Position


def job_row(row: Record) -> JobRow:
    """From a record of the statement `job`."""
    return JobRow(
        job_id=row["job_id"],
        owner=row["owner"],
        status=jobs.Status(row["status"]),
        job_type=row["job_type"],
        user_id=row["user_id"],
        target_id=row["target_id"],
        batch_id=row["batch_id"],
        batch_index=row["batch_index"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        erased=row["erased"],
        position=reflected(row),
        job=jobs.CODEC.validate_json(row["state"]) if row["state"] else None,
        batch=batches.CODEC.validate_json(row["batch"]) if row["batch"] else None,
        facts=_noted(row["facts"]),
        failures=_noted(row["failures"]),
    )


def batch_row(row: Record, members: tuple[BatchMember, ...]) -> BatchRow:
    """From a record of the statement `batch` and those of `members`."""
    return BatchRow(row["owner"], batches.CODEC.validate_json(row["state"]), reflected(row), members)


def listed_batch(row: Record) -> ListedBatch:
    """From a record of the statement `list_batches`."""
    batch = batches.CODEC.validate_json(row["state"])
    counts = Counter({status: row[status.value] for status in jobs.Status})
    return ListedBatch(batch, counts, row["updated_at"] or batch.created_at)


def changed(row: Record) -> Changed:
    """From a record of the statement `changes`."""
    return Changed(
        position=Position(row["place"], row["log_offset"]),
        about_batch=row["about_batch"],
        counts=row["counts"],
        batch_id=row["batch_id"],
        job=job_row(row) if row["newest"] else None,
    )


def reflected(row: Record) -> Position:
    """The last position that an answer reflects; offset -1 when nothing of the partition was projected."""
    return Position(row["partition"], (row["next_offset"] or 0) - 1)


def _noted(text: str | None) -> tuple[Noted, ...]:
    found = from_json(text) if text else []
    return tuple(Noted.of(one["type"], datetime.fromisoformat(one["time"]), one["data"]) for one in found)
