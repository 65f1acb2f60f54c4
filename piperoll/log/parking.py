"""Which records go to the dead letters: those that no reader can use, and later ones of the same keys. Pure.

A fact after an unusable record could be folded into an incomplete state, so its key is parked. Exempt are the facts
that can only continue or end what was created before: the fold accepts them from the current run alone, whatever came
between. So a job that runs when a foreign record appears under its key still ends, and what is to be deleted is
deleted. A record in a foreign partition does not concern the order of its key, which is elsewhere; it is parked alone.

An operator's command puts parked records back (`piperoll.log.redriving`): copies of them, which count where the key is
parked, and at their end a record that unparks the key. All this is in the log, so that every reader of any time agrees.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from piperoll.log.record import MisplacedRecordError, Record
from schemas.envelope import Fact, UndecodableRecordError, UnknownEventError
from schemas.events import (
    BatchErased,
    BatchExpanded,
    DocumentRemoved,
    EndpointRemoved,
    FolderRemoved,
    JobCancelled,
    JobCompleted,
    JobErased,
    JobFailed,
    JobProgress,
    JobReleased,
    JobRetryScheduled,
    JobStarted,
)

PARKED_BEFORE = "an earlier record of the same key could not be decoded"
REDRIVEN = "piperoll_redriven"
"""The header of a copy of a parked record: the position of the original."""
UNPARKED = "piperoll_unparked"
"""The header of a record that ends the parking of its key; it has no value."""

EXEMPT = frozenset(
    event.type_name()
    for event in (
        *(JobStarted, JobProgress, JobReleased, JobRetryScheduled, JobCompleted, JobFailed, JobCancelled, JobErased),
        *(BatchExpanded, BatchErased, DocumentRemoved, FolderRemoved, EndpointRemoved),
    )
)
"""Facts that are admitted under a parked key: they continue or end, and begin nothing."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A record, and its fact or the reason that it has none. `alone`: its key is not parked with it."""

    record: Record
    fact: Fact | None
    why: str = ""
    alone: bool = False


def decode(record: Record) -> Decoded:
    """Decode one record. Raises UnknownEventError."""
    try:
        return Decoded(record, record.fact())
    except UndecodableRecordError as error:
        return Decoded(record, None, str(error), isinstance(error, MisplacedRecordError))


def decode_accounted(record: Record) -> Decoded:
    """Decode a record that a reader has accounted for: an event of a later release was then skipped."""
    try:
        return decode(record)
    except UnknownEventError as error:
        return Decoded(record, None, str(error))


def refuse(record: Record, why: str) -> Record:
    """Return the record marked as unusable, so that every way of decoding parks it."""
    return replace(record, refused=why)


class ParkedCache:
    """The parked keys of partitions, each as of an offset, so that a poll needs no query for them."""

    def __init__(self) -> None:
        self._by_partition: dict[int, tuple[int, frozenset[str]]] = {}

    def get(self, partition: int, next_offset: int) -> frozenset[str] | None:
        """The keys as of this offset; None if they are not known."""
        known_at, keys = self._by_partition.get(partition, (-1, frozenset()))
        return keys if known_at == next_offset else None

    def put(self, partition: int, next_offset: int, parking: "Parking") -> None:
        """Note the keys after a committed poll that ended at this offset."""
        self._by_partition[partition] = next_offset, frozenset(parking.known) - parking.freed | parking.keys.keys()


class Parking:
    """Parks records of one partition, in offset order. `known` are the keys that are already parked.

    `letters` are the records for the dead letters with their reasons. `keys` are the newly parked keys with their
    first offset, `freed` the keys of `known` that are no longer parked. A record without a key does not park others.
    """

    def __init__(self, known: Collection[str] = ()) -> None:
        self.known = known
        self.letters: list[tuple[Record, str]] = []
        self.keys: dict[str, int] = {}
        self.freed: set[str] = set()

    def holds(self, key: str) -> bool:
        """Whether the key is parked."""
        return key in self.keys or (key in self.known and key not in self.freed)

    def park(self, record: Record, why: str, alone: bool = False) -> None:
        """Park a record, and its key unless `alone`."""
        self.letters.append((record, why))
        key = record.key_text
        if key and not alone and not self.holds(key):
            self.keys[key] = record.offset

    def passes(self, record: Record) -> bool:
        """Whether the record can be passed over undecoded: it was parked with its key, or has no effect here."""
        control = _control_of(record)
        if control is None:
            return self._follows(record)
        key = record.key_text
        if not self.holds(key):
            return True  # this reader has folded the original, or another process has put it back
        if control == UNPARKED:
            self._free(key)
            return True
        return False

    def admit(self, entry: Decoded) -> Fact | None:
        """Return the fact if it may be folded; park the record otherwise."""
        if self.passes(entry.record):
            return None
        if entry.fact is None:
            self.park(entry.record, entry.why, entry.alone)
        return entry.fact

    def update(self, parked: set[str]) -> None:
        """Make a set of the keys that were parked before the set of those that are parked now."""
        parked -= self.freed
        parked.update(self.keys)

    def sift(self, entries: Iterable[Decoded]) -> Iterator[tuple[Fact, int]]:
        """Yield the facts that may be folded, with their offsets; park the other records on the way."""
        for entry in entries:
            if (fact := self.admit(entry)) is not None:
                yield fact, entry.record.offset

    def _follows(self, record: Record) -> bool:
        """Park a record whose key is parked; return whether it was."""
        key = record.key_text
        if not self.holds(key) or record.ce_type in EXEMPT:
            return False
        self.letters.append((record, PARKED_BEFORE))
        return True

    def _free(self, key: str) -> None:
        self.keys.pop(key, None)
        if key in self.known:
            self.freed.add(key)


def _control_of(record: Record) -> str | None:
    """REDRIVEN or UNPARKED if that is the record's last header and the record is where its key belongs."""
    name = record.headers[-1][0] if record.headers else ""
    return name if name in (REDRIVEN, UNPARKED) and record.home in (None, record.partition) else None
