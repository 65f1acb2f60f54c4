"""I3 and I6: the differences between the tables and the log, as sentences. Pure."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from piperoll.domain.batch import CODEC as BATCH_CODEC
from piperoll.domain.batch import Batch
from piperoll.domain.job import CODEC, Job
from piperoll.history import Violation
from schemas.ids import member_id
from services.projector.jobs import rows

T = TypeVar("T")

INVARIANT = "I3"
FOLDED = ("partition", "owner", "status", "sequence", "created", "erased", "updated_at")
DETAILS = ("user_id", "job_type", "target_id", "created_at")  # of a stub they come from the announcement, if any


class TableRow(Protocol):
    """A row of the tables, by column name."""

    def __getitem__(self, name: str, /) -> Any:
        """A column's value."""
        ...


def job_violations(job: Job, row: TableRow, partition: int) -> list[Violation]:
    """The differences between a job's row and the row of its folded state."""
    if row["sequence"] == rows.WITHOUT_FACTS:
        return [_wrong(job.job_id, f"has no state in the tables, in the log it is {job.status.value}")]
    expected = rows.of_job(job, partition)
    assert expected.state is not None
    sentences = [] if digest(expected.state) == digest(row["state"]) else _state_sentences(job, row["state"])
    names = FOLDED + DETAILS if job.created else FOLDED
    for name in (*names, *(["batch_id"] if expected.batch_id else [])):
        if row[name] != getattr(expected, name):
            sentences.append(f"has {name} {row[name]!r} in its row, {getattr(expected, name)!r} in the log")
    return [_wrong(job.job_id, sentence) for sentence in sentences]


def unexplained(row: TableRow) -> Violation | None:
    """The violation by a row of a job that is not in the log, unless it is an announced member of a batch."""
    if row["sequence"] != rows.WITHOUT_FACTS:
        return _wrong(row["job_id"], "is in the tables and not in the log")
    return misplaced(row)


def misplaced(row: TableRow) -> Violation | None:
    """The violation by a member whose id is not derived from its batch and index."""
    if row["batch_index"] is None and row["sequence"] != rows.WITHOUT_FACTS:
        return None
    if row["batch_id"] is not None and row["job_id"] == member_id(row["batch_id"], row["batch_index"]):
        return None
    return _wrong(row["job_id"], f"cannot be member {row['batch_index']} of {row['batch_id']}")


def trail_violations(trails: Mapping[str, Sequence[str]], stored: Mapping[str, str]) -> Iterator[Violation]:
    """Jobs whose events differ from those that the fold accepted; `stored` are digests by job id."""
    for job_id, trail in trails.items():
        if stored.get(job_id) != trail_digest(trail):
            yield _wrong(job_id, f"has other events in the tables than the {len(trail)} accepted ones in the log")
    for job_id in stored.keys() - trails.keys():
        yield _wrong(job_id, "has events in the tables and none in the log")


def batch_violations(batches: Mapping[str, Batch], stored: Iterable[TableRow]) -> Iterator[Violation]:
    """Batches that differ, are missing, are too many, or lack members."""
    by_id = {row["batch_id"]: row for row in stored}
    for batch_id, batch in batches.items():
        row = by_id.pop(batch_id, None)
        if row is None:
            yield _wrong(batch_id, "is in the log and not in the tables")
        elif digest(row["state"]) != digest(BATCH_CODEC.dump_json(batch).decode()) or row["count"] != batch.count:
            yield _wrong(batch_id, "has another state in the tables than in the log")
        elif row["members"] != batch.count:
            yield _wrong(batch_id, f"counts {batch.count} members and has rows for {row['members']}")
    for batch_id in by_id:
        yield _wrong(batch_id, "is in the tables and not in the log")


def row_violations(
    states: Mapping[str, T], stored: Iterable[TableRow], key: str, differences: Callable[[T, TableRow], Iterable[str]]
) -> Iterator[Violation]:
    """Folded states whose rows differ, are missing or are too many.

    `key` is the column of their ids; `differences` returns sentences about the differences of a row from its state.
    """
    missing = dict(states)
    for row in stored:
        state = missing.pop(row[key], None)
        sentences = ["is in the tables and not in the log"] if state is None else differences(state, row)
        yield from (_wrong(row[key], sentence) for sentence in sentences)
    yield from (_wrong(one, "is in the log and not in the tables") for one in sorted(missing))


def set_violations(what: str, expected: set[Any], stored: set[Any]) -> Iterator[Violation]:
    """Elements of only one of two sets."""
    if missing := expected - stored:
        yield _wrong(what, f"lack {len(missing)}, such as {min(missing)}")
    if extra := stored - expected:
        yield _wrong(what, f"have {len(extra)} too many, such as {min(extra)}")


def digest(state: str) -> str:
    """The hash by which states are compared. They are the codec's own text, which is canonical."""
    return hashlib.sha256(state.encode()).hexdigest()


def trail_digest(trail: Sequence[str]) -> str:
    """The hash of a job's accepted facts, as `trails` in verify.sql computes it."""
    return hashlib.md5(",".join(trail).encode(), usedforsecurity=False).hexdigest()


def _state_sentences(job: Job, state: str) -> list[str]:
    stored = CODEC.validate_json(state)
    names = [name for name in Job.__slots__ if getattr(stored, name) != getattr(job, name)]
    return [
        f"has {name} {_show(getattr(stored, name))} in its state, {_show(getattr(job, name))} in the log"
        for name in names
    ] or ["has a state that is written otherwise than the fold writes it"]


def _show(value: object) -> str:
    return str(value)[:200]


def _wrong(subject: str, sentence: str) -> Violation:
    return Violation(INVARIANT, subject, sentence)
