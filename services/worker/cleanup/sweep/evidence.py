"""What a sweep accepts as proof that an id has no fact, and the brake. Pure.

That the backlog does not know an id proves nothing: it forgets ended jobs. Nor does the time of a blob: copies and
restored blobs have other times, and clocks are wrong. So an id is deleted as an orphan only if all of this holds:

- `SIGHTINGS` sweeps found it without a fact, the first one `SETTLED` of the log's time ago without outages,
  its blobs unchanged since.
- No record of its partition has its key, from the beginning of the log to an end that was fetched in this sweep.
- Its folder holds inputs alone. An output was written for a job that some log had, so it is never an orphan's; so was
  the marker of an index in the folder of a document.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from piperoll.domain.backlog import REMEMBER_ENDED, Backlog, Erasure
from piperoll.store.document_paths import INDEXES
from services.worker.cleanup.sweep.keys import is_document

SETTLED = REMEMBER_ENDED
"""Longer than any writer takes from its blobs to its fact while the log can be reached."""
SIGHTINGS = 3
"""After an outage the pending appends arrive between two sweeps."""
RECENT = REMEMBER_ENDED - timedelta(hours=8)
"""The backlog knows the jobs of blobs that are younger, clock differences apart: an unknown id is worth a note."""
SPECS_DONE_AFTER = timedelta(hours=1)
BRAKE_FLOOR = 50
"""Blobs that a sweep may delete whatever their share is."""
INPUTS = ("in", "specs")

Reason = Literal["erased", "orphaned", "unnamed", "expanded", "upload", "cache", "segment", "pages"]
BLOBS = "blobs"
CONTENT = "blobs of documents and folders"
BRAKES: Mapping[str, tuple[Reason, ...]] = {BLOBS: ("orphaned", "expanded"), CONTENT: ("unnamed",)}
"""The reasons that the brake counts, apart for what another topic proves. Erasures were ordered one by one, ended jobs
need no page checkpoints, and the others have an age."""


@dataclass(frozen=True, slots=True)
class Traces:
    """The blobs of an id: their number, and the store's time of the newest one, which is compared for equality only."""

    blobs: int
    newest: datetime

    def plus(self, written_at: datetime) -> "Traces":
        """The traces with another blob."""
        return Traces(self.blobs + 1, max(self.newest, written_at))


@dataclass(frozen=True, slots=True)
class Sighting:
    """Sweeps found an id without a fact `count` times with these traces, at last at `last` in the log's time.

    `now - first` is its age. What is longer than an interval between two sweeps is an outage, and does not count:
    `first` moves on by it. Notes of earlier releases have no `last`.
    """

    first: datetime
    count: int
    traces: Traces
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class Doomed:
    """What is deleted together: a `name`, the partition whose backlog decides, and the blobs.

    `traces` are of the folder `name` of an orphan, which must still have them. `erasure` is of a job whose erasure the
    backlog has forgotten, `owner` that of an expanded batch.
    """

    reason: Reason
    partition: int
    name: str
    uris: tuple[str, ...] = ()
    blobs: int = 1
    traces: Traces | None = None
    erasure: Erasure | None = None
    owner: str = ""


def traces_of(times: Iterable[datetime]) -> Traces | None:
    """The traces of blobs with these times; None without any."""
    found: Traces | None = None
    for at in times:
        found = Traces(1, at) if found is None else found.plus(at)
    return found


def sighted(before: Sighting | None, traces: Traces, now: datetime, interval: timedelta) -> Sighting:
    """The sighting after another one at `now` in the log's time. Blobs that changed since are seen for the first time.

    A log time that goes back, as after a restart, lets the age begin again. `interval` is the usual one of sweeps.
    """
    if before is None or before.traces != traces or max(before.first, before.last or before.first) > now:
        return Sighting(now, 1, traces, now)
    missed = timedelta() if before.last is None else max(timedelta(), now - before.last - interval)
    return Sighting(before.first + missed, before.count + 1, traces, now)


def is_due(one: Sighting, now: datetime) -> bool:
    """Whether the log must be searched for the id: it was seen often enough and for long enough."""
    return one.count >= SIGHTINGS and now - one.first >= SETTLED


def knows(backlog: Backlog, subject: str) -> bool:
    """Whether the fold of the partition has facts of a job or batch."""
    places = (backlog.jobs, backlog.ended, backlog.batches, backlog.parked, backlog.erased)
    return any(subject in place for place in places)


def is_input(folder: str, uri: str) -> bool:
    """Whether a blob in the folder of an id was written before its first fact."""
    part = uri.removeprefix(f"{folder}/").partition("/")[0]
    return part != INDEXES if is_document(folder) else part in INPUTS


def judged_blobs(doomed: Sequence[Doomed]) -> Counter[str]:
    """The numbers of blobs that the brake counts."""
    return Counter({what: sum(one.blobs for one in doomed if one.reason in BRAKES[what]) for what in BRAKES})


def exceeds(judged: int, total: int, share: float) -> bool:
    """Whether so many of `total` blobs are more than a sweep may delete."""
    return judged > max(BRAKE_FLOOR, share * total)


def brake_of(doomed: Sequence[Doomed], totals: Mapping[str, int], share: float) -> str | None:
    """Return a sentence if a sweep may not delete so much."""
    judged = judged_blobs(doomed)
    much = [f"{judged[one]:,} of {totals[one]:,} {one}" for one in BRAKES if exceeds(judged[one], totals[one], share)]
    if not much:
        return None
    return (
        f"the sweep would delete {' and '.join(much)} as not needed, more than {share:.0%} (PIPEROLL_SWEEP_MAX_SHARE), "
        "and deletes nothing: look at `piperoll sweep --dry-run`, and if they may go, run `piperoll sweep --yes`"
    )
