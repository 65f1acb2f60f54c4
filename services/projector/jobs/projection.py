"""The rows of jobs and batches, from states and facts. Pure: no clock, no SQL, no blob store.

Any split of a partition into polls gives the same rows, because the fold is that of `piperoll.domain`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from piperoll.domain import batch as batches
from piperoll.domain import job as jobs
from piperoll.domain.batch import Batch
from piperoll.domain.job import Job
from piperoll.domain.pending_changes import PendingChanges
from piperoll.log.parking import Decoded
from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import BATCH_EVENTS, BatchCreated, JobCompleted, JobCreated
from services.projector.database.values import text

MEMBERS_AT_ONCE = 10_000  # members added in one transaction: 3 MB of specs and a fraction of a second


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One accepted fact of a job, numbered by the fold."""

    job_id: str
    sequence: int
    owner: str
    log_offset: int
    type: str
    time: datetime
    data: str


@dataclass(slots=True)
class KnownJobs:
    """The stored states, by keys in the form of `text`."""

    jobs: dict[str, Job] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)


class JobChanges:
    """The changes by some facts, the last state only of each job and batch.

    `batch_offsets` are the offsets of each batch's last accepted fact. `announced` are batches whose creation was
    accepted, `indexed` the indexes of embedding jobs that completed and were not erased, `erased` the erased jobs,
    `unread` the other jobs that got parameters or a result, `ended` the jobs that ended.
    """

    def __init__(self, known: KnownJobs) -> None:
        self.jobs = PendingChanges(jobs.evolve, known.jobs)
        self.batches = PendingChanges(batches.evolve, known.batches)
        self.batch_offsets: dict[str, int] = {}
        self.events: list[StoredEvent] = []
        self.announced: list[Batch] = []
        self.indexed: dict[str, Claim] = {}
        self.erased: set[str] = set()
        self.unread: set[str] = set()
        self.ended: list[Job] = []


def units(entries: Sequence[Decoded], limit: int = MEMBERS_AT_ONCE) -> Iterator[list[Decoded]]:
    """Split entries into transactions: none adds more than `limit` members (or one batch), or loads two indexes."""
    unit: list[Decoded] = []
    members = 0
    for entry in entries:
        count = entry.fact.data.count if entry.fact and isinstance(entry.fact.data, BatchCreated) else 0
        if unit and members + count > limit:
            yield unit
            unit, members = [], 0
        unit.append(entry)
        members += count
        if entry.fact and isinstance(entry.fact.data, JobCompleted) and entry.fact.data.index:
            yield unit
            unit, members = [], 0
    if unit:
        yield unit


def project(known: KnownJobs, facts: Iterable[tuple[Fact, int]]) -> JobChanges:
    """The changes by `facts`, in offset order, of tables that contain `known`."""
    changes = JobChanges(known)
    for fact, offset in facts:
        if isinstance(fact.data, BATCH_EVENTS):
            _fold_batch(changes, fact, offset)
        else:
            _fold_job(changes, fact, offset)
    return changes


def _fold_job(changes: JobChanges, fact: Fact, offset: int) -> None:
    job_id = text(fact.subject)
    folded = changes.jobs.fold(job_id, fact)
    if folded is None:
        return
    before, after = folded
    if after.status.terminal and not (before is not None and before.status.terminal):
        changes.ended.append(after)
    if isinstance(fact.data, JobCompleted) and fact.data.index is not None:
        changes.indexed[job_id] = fact.data.index
    if isinstance(fact.data, JobCreated | JobCompleted):
        changes.unread.add(job_id)
    if after.erased:
        changes.erased.add(job_id)
        changes.indexed.pop(job_id, None)
        changes.unread.discard(job_id)
    changes.events.append(
        StoredEvent(
            job_id=job_id,
            sequence=after.sequence,
            owner=text(after.owner),
            log_offset=offset,
            type=fact.data.type_name(),
            time=fact.time,
            data=fact.data.model_dump_json(exclude_none=True),
        )
    )


def _fold_batch(changes: JobChanges, fact: Fact, offset: int) -> None:
    batch_id = text(fact.subject)
    folded = changes.batches.fold(batch_id, fact)
    if folded is None:
        return
    before, after = folded
    changes.batch_offsets[batch_id] = offset
    if before is None:
        changes.announced.append(after)
