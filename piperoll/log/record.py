"""Positions and records, as read from the log before decoding."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from piperoll.log.murmur import murmur2
from schemas.envelope import Fact, Headers, UndecodableRecordError, decode

POSITIVE = 0x7FFFFFFF  # Java's toPositive: the sign bit cleared


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """The position of one record in a topic."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was read. `timestamp_ms` is the broker's append time."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def position(self) -> Position:
        """Its position in the topic."""
        return Position(self.partition, self.offset)

    @property
    def key_text(self) -> str:
        """Its key as text for a Postgres column; empty without one."""
        return _text(self.key)

    @property
    def appended_at(self) -> datetime:
        """The broker's append time."""
        return datetime.fromtimestamp(self.timestamp_ms / 1000, UTC)

    @property
    def ce_id(self) -> str:
        """The CloudEvents id as text for a Postgres column; empty in a foreign record."""
        return _text(dict(self.headers).get("ce_id"))

    @property
    def ce_type(self) -> str:
        """The CloudEvents type; empty in a foreign record."""
        return _text(dict(self.headers).get("ce_type"))

    def fact(self) -> Fact:
        """The decoded fact. Raises UndecodableRecordError, also if the key is not its subject; UnknownEventError."""
        fact = decode(self.value, self.headers, self.appended_at)
        if self.key != fact.subject.encode():
            raise UndecodableRecordError(f"the record's key is not its subject {fact.subject!r}")
        return fact


def _text(value: bytes | None) -> str:
    """Decode any bytes; NUL, which Postgres refuses, becomes the replacement character."""
    return (value or b"").decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


@lru_cache(maxsize=4096)  # called when an id is created, at each fact, and at each look-up
def partition_of(key: str, partitions: int) -> int:
    """The partition of a key: murmur2 as in the Java client."""
    return int((murmur2(key.encode()) & POSITIVE) % partitions)
