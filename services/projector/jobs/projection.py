"""What records mean for the tables: states and facts in, rows out. Pure: no clock, no SQL, no blob store.

Any split of a partition into polls gives the same rows, and so does handing a poll over twice: records below the
checkpoint are dropped (`fresh`), and the rest is the one fold of `piperoll.domain`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from piperoll.domain import batch as batches
from piperoll.domain import job as jobs
from piperoll.domain.batch import Batch
from piperoll.domain.job import Job
from piperoll.log.record import Record
from schemas.claims import Claim
from schemas.envelope import Fact, UndecodableRecordError, UnknownEventError
from schemas.events import BATCH_EVENTS, BatchCreated, JobCompleted

PARKED_BEFORE = "an earlier record of the same key could not be decoded"
MEMBERS_AT_ONCE = 10_000  # members announced in one transaction: 3 MB of specs and a fraction of a second


@dataclass(frozen=True, slots=True)
class Entry:
    """A record and the fact in it, or why there is none."""

    record: Record
    key: str
    fact: Fact | None
    why: str = ""


@dataclass(slots=True)
class Parked:
    """Records for the dead letters, with the reason, and keys that park from now on, with the offset they do so since.

    What follows a record that cannot be read, under the same key, would be folded into a state that lacks it.
    """

    park: list[tuple[Record, str]] = field(default_factory=list)
    parked: dict[str, int] = field(default_factory=dict)

    def sift(self, entries: Iterable[Entry], known: Collection[str]) -> Iterator[tuple[Fact, int]]:
        """The facts that may be folded, with their offsets; parks the other entries on the way.

        `entries` are in offset order, `known` are the keys that park already.
        """
        for entry in entries:
            if entry.fact is None:
                self.park.append((entry.record, entry.why))
                if entry.key and entry.key not in known:
                    self.parked.setdefault(entry.key, entry.record.offset)
            elif entry.key in known or entry.key in self.parked:
                self.park.append((entry.record, PARKED_BEFORE))
            else:
                yield entry.fact, entry.record.offset


@dataclass(frozen=True, slots=True)
class EventRow:
    """One accepted fact of a job, numbered by the fold."""

    job_id: str
    sequence: int
    owner: str
    log_offset: int
    type: str
    time: datetime
    data: str


@dataclass(slots=True)
class Known:
    """What the tables hold about some keys, all in the form of `text`: states, and which of them are parked."""

    jobs: dict[str, Job] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    parked: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Changes(Parked):
    """What some records change. Of each job and batch it holds the last state only.

    `batch_offsets` are where the last accepted fact about each batch stands. `announced` are batches whose creation
    was accepted here, `indexed` the indexes of embedding jobs that completed here and were not erased, `erased` the
    jobs that were.
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    batch_offsets: dict[str, int] = field(default_factory=dict)
    events: list[EventRow] = field(default_factory=list)
    announced: list[Batch] = field(default_factory=list)
    indexed: dict[str, Claim] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)


def decode(record: Record) -> Entry:
    """The entry of one record. Raises UnknownEventError."""
    key = text((record.key or b"").decode(errors="replace"))
    try:
        return Entry(record, key, record.fact())
    except UndecodableRecordError as error:
        return Entry(record, key, None, str(error))


def decode_poll(records: Iterable[Record]) -> tuple[list[Entry], UnknownEventError | None]:
    """The entries up to the first event of a later release, and the error that has to stop the service there."""
    entries: list[Entry] = []
    for record in records:
        try:
            entries.append(decode(record))
        except UnknownEventError as error:
            return entries, error
    return entries, None


def fresh(entries: Iterable[Entry], next_offset: int) -> list[Entry]:
    """The entries that the checkpoint does not account for yet."""
    return [entry for entry in entries if entry.record.offset >= next_offset]


def keys_of(entries: Iterable[Entry]) -> list[str]:
    """What the tables are asked for before a fold: the keys of the records, and the subjects of their facts."""
    keys = set()
    for entry in entries:
        keys.add(entry.key)
        if entry.fact is not None:
            keys.add(text(entry.fact.subject))
    return list(keys)


def units(entries: Sequence[Entry], limit: int = MEMBERS_AT_ONCE) -> Iterator[list[Entry]]:
    """Cuts entries into transactions: none announces more than `limit` members (or one batch), or loads two indexes."""
    unit: list[Entry] = []
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


def project(known: Known, entries: Iterable[Entry]) -> Changes:
    """What `entries`, in offset order, change in tables that hold `known`."""
    changes = Changes()
    for fact, offset in changes.sift(entries, known.parked):
        if isinstance(fact.data, BATCH_EVENTS):
            _fold_batch(known.batches, changes, fact, offset)
        else:
            _fold_job(known.jobs, changes, fact, offset)
    return changes


def _fold_job(known: Mapping[str, Job], changes: Changes, fact: Fact, offset: int) -> None:
    job_id = text(fact.subject)
    before = changes.jobs.get(job_id) or known.get(job_id)
    after = jobs.evolve(before, fact)
    if after is None or after is before:
        return
    changes.jobs[job_id] = after
    if isinstance(fact.data, JobCompleted) and fact.data.index is not None:
        changes.indexed[job_id] = fact.data.index
    if after.erased:
        changes.erased.add(job_id)
        changes.indexed.pop(job_id, None)
    changes.events.append(
        EventRow(
            job_id=job_id,
            sequence=after.sequence,
            owner=text(after.owner),
            log_offset=offset,
            type=fact.data.type_name(),
            time=fact.time,
            data=fact.data.model_dump_json(exclude_none=True),
        )
    )


def _fold_batch(known: Mapping[str, Batch], changes: Changes, fact: Fact, offset: int) -> None:
    batch_id = text(fact.subject)
    before = changes.batches.get(batch_id) or known.get(batch_id)
    after = batches.evolve(before, fact)
    if after is None or after is before:
        return
    changes.batches[batch_id] = after
    changes.batch_offsets[batch_id] = offset
    if before is None:
        changes.announced.append(after)


def text(value: str) -> str:
    """A text as a Postgres column takes it: NUL, which it refuses, shown as the replacement character."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
