"""Which records go to the dead letters: those that cannot be decoded, and later ones of the same keys. Pure.

A fact after an undecodable record would be folded into an incomplete state.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from piperoll.log.record import Record
from schemas.envelope import Fact, UndecodableRecordError

PARKED_BEFORE = "an earlier record of the same key could not be decoded"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A record, and its fact or the reason that it has none."""

    record: Record
    fact: Fact | None
    why: str = ""


def decode(record: Record) -> Decoded:
    """Decode one record. Raises UnknownEventError."""
    try:
        return Decoded(record, record.fact())
    except UndecodableRecordError as error:
        return Decoded(record, None, str(error))


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
        self._by_partition[partition] = next_offset, frozenset((*parking.known, *parking.keys))


class Parking:
    """Parks records of one partition, in offset order. `known` are the keys that are already parked.

    `letters` are the records for the dead letters with their reasons. `keys` are the newly parked keys with their
    first offset. A record without a key does not park others.
    """

    def __init__(self, known: Collection[str] = ()) -> None:
        self.known = known
        self.letters: list[tuple[Record, str]] = []
        self.keys: dict[str, int] = {}

    def park(self, record: Record, why: str) -> None:
        """Park a record and its key."""
        self.letters.append((record, why))
        if (key := record.key_text) and key not in self.known:
            self.keys.setdefault(key, record.offset)

    def follows(self, record: Record) -> bool:
        """Park a record whose key is parked; return whether it was."""
        parked = record.key_text in self.known or record.key_text in self.keys
        if parked:
            self.letters.append((record, PARKED_BEFORE))
        return parked

    def admit(self, entry: Decoded) -> Fact | None:
        """Return the fact if it may be folded; park the record otherwise."""
        if self.follows(entry.record):
            return None
        if entry.fact is None:
            self.park(entry.record, entry.why)
        return entry.fact

    def sift(self, entries: Iterable[Decoded]) -> Iterator[tuple[Fact, int]]:
        """Yield the facts that may be folded, with their offsets; park the other records on the way."""
        for entry in entries:
            if (fact := self.admit(entry)) is not None:
                yield fact, entry.record.offset
