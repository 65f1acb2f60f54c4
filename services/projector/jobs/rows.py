"""Rows of folded jobs and batches, and of members that a BatchCreated announced before their JobCreated. Pure.

One statement writes folded and announced jobs, in the order of their ids. An announcement may write rows of other
partitions while their projector writes them too; locks that are taken in one order cannot deadlock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter

from pydantic import BaseModel, ConfigDict, TypeAdapter

from piperoll.domain.batch import CODEC as BATCH_CODEC
from piperoll.domain.batch import Batch
from piperoll.domain.job import CODEC, Job, Status
from piperoll.log.record import partition_of
from schemas.ids import member_id
from services.projector.database.values import optional_text, text

WITHOUT_FACTS = 0  # the sequence of an announced member: no fact of the job has been read yet


@dataclass(frozen=True, slots=True)
class StoredJob:
    """One row, its fields in the order of the statement's arrays."""

    job_id: str
    partition: int
    owner: str
    user_id: str | None
    job_type: str
    target_id: str | None
    batch_id: str | None
    batch_index: int | None
    status: str
    sequence: int
    created: bool
    erased: bool
    created_at: datetime
    updated_at: datetime
    state: str | None


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """One row of the batches table, its fields in the order of the statement's arrays."""

    batch_id: str
    partition: int
    owner: str
    user_id: str | None
    created_at: datetime
    count: int
    log_offset: int
    state: str


class MemberSpec(BaseModel):
    """The part of a batch member's spec that a row needs."""

    model_config = ConfigDict(extra="ignore")

    job_type: str = ""
    user_id: str | None = None
    target_id: str | None = None


SPECS: TypeAdapter[list[MemberSpec]] = TypeAdapter(list[MemberSpec])
"""The content of a BatchCreated's specs, as far as rows need it."""


def of_job(job: Job, partition: int) -> StoredJob:
    """The row of a folded job. It has no batch_index: only the announcement contains it."""
    return StoredJob(
        job_id=text(job.job_id),
        partition=partition,
        owner=text(job.owner),
        user_id=optional_text(job.user_id),
        job_type=text(job.job_type),
        target_id=optional_text(job.target_id),
        batch_id=optional_text(job.batch_id),
        batch_index=None,
        status=job.status.value,
        sequence=job.sequence,
        created=job.created,
        erased=job.erased,
        created_at=job.created_at,
        updated_at=job.updated_at,
        state=CODEC.dump_json(job).decode(),
    )


def of_batch(batch: Batch, partition: int, log_offset: int) -> StoredBatch:
    """The row of a folded batch, whose last fact is at `log_offset`."""
    return StoredBatch(
        batch_id=text(batch.batch_id),
        partition=partition,
        owner=text(batch.owner),
        user_id=optional_text(batch.user_id),
        created_at=batch.created_at,
        count=batch.count,
        log_offset=log_offset,
        state=BATCH_CODEC.dump_json(batch).decode(),
    )


def of_members(batch: Batch, specs: Sequence[MemberSpec] | None, partitions: int) -> list[StoredJob]:
    """The rows of all of a batch's members; without details when the specs were erased (None)."""
    blank = MemberSpec()
    return [
        _of_member(batch, index, specs[index] if specs and index < len(specs) else blank, partitions)
        for index in range(batch.count)
    ]


def _of_member(batch: Batch, index: int, spec: MemberSpec, partitions: int) -> StoredJob:
    job_id = member_id(batch.batch_id, index)
    return StoredJob(
        job_id=job_id,
        partition=partition_of(job_id, partitions),
        owner=text(batch.owner),
        user_id=optional_text(spec.user_id or batch.user_id),
        job_type=text(spec.job_type),
        target_id=optional_text(spec.target_id),
        batch_id=text(batch.batch_id),
        batch_index=index,
        status=Status.PENDING.value,
        sequence=WITHOUT_FACTS,
        created=False,
        erased=False,
        created_at=batch.created_at,
        updated_at=batch.created_at,
        state=None,
    )


def merge(folded: Iterable[StoredJob], announced: Iterable[StoredJob]) -> list[StoredJob]:
    """One row per job, sorted by id. A job in both lists gets the row that the statement's ON CONFLICT would write."""
    rows: dict[str, StoredJob] = {row.job_id: row for row in announced}
    for row in folded:
        rows[row.job_id] = _fill(row, rows)
    return sorted(rows.values(), key=attrgetter("job_id"))


def _fill(row: StoredJob, announced: Mapping[str, StoredJob]) -> StoredJob:
    member = announced.get(row.job_id)
    if member is None:
        return row
    filled = replace(row, batch_index=member.batch_index, batch_id=row.batch_id or member.batch_id)
    if row.created:
        return filled
    return replace(
        filled,
        job_type=member.job_type,
        user_id=member.user_id,
        target_id=member.target_id,
        created_at=member.created_at,
    )
