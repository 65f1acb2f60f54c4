"""Positions and records, as read from the log before decoding."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from piperoll.log.murmur import murmur2
from piperoll.log.usable import refusal
from schemas.envelope import LONGEST_ID, Fact, Headers, UndecodableRecordError, decode

POSITIVE = 0x7FFFFFFF  # Java's toPositive: the sign bit cleared


class MisplacedRecordError(UndecodableRecordError):
    """A record that is not in the partition of its key: no order with other facts of the key exists."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """The position of one record in a topic."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was read. `timestamp_ms` is the broker's append time.

    `partitions` is the topic's number of partitions; 0 if the reader does not compare places. `refused` is why a reader
    parks the record although it may be decodable: it cannot be stored, or an operator skips it.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    partitions: int = 0
    refused: str = ""

    @property
    def position(self) -> Position:
        """Its position in the topic."""
        return Position(self.partition, self.offset)

    @property
    def key_text(self) -> str:
        """Its key as text for a Postgres column, of a foreign key that is too long for an index its hash.

        Empty without a key.
        """
        text = _text(self.key)
        return text if len(self.key or b"") <= LONGEST_ID else f"sha256:{hashlib.sha256(self.key or b'').hexdigest()}"

    @property
    def appended_at(self) -> datetime:
        """The broker's append time."""
        return datetime.fromtimestamp(self.timestamp_ms / 1000, UTC)

    @property
    def ce_id(self) -> str:
        """The CloudEvents id as text for a Postgres column; empty in a foreign record."""
        return _text(dict(self.headers).get("ce_id"))

    @property
    def ce_owner(self) -> str:
        """The owner, as text for a Postgres column; empty in a foreign record."""
        return _text(dict(self.headers).get("ce_owner"))

    @property
    def ce_type(self) -> str:
        """The CloudEvents type; empty in a foreign record."""
        return _text(dict(self.headers).get("ce_type"))

    @property
    def home(self) -> int | None:
        """The partition of its key, if the reader compares places."""
        if self.key is None or not self.partitions:
            return None
        try:
            return partition_of(self.key.decode(), self.partitions)
        except UnicodeDecodeError:
            return partition_of_bytes(self.key, self.partitions)

    def fact(self) -> Fact:
        """The decoded fact, which every reader can use.

        Raises UndecodableRecordError, also if the key is not its subject; MisplacedRecordError; UnknownEventError.
        """
        if self.refused:
            raise UndecodableRecordError(self.refused)
        if self.home not in (None, self.partition):
            raise MisplacedRecordError(f"it is in partition {self.partition}, its key belongs to {self.home}")
        subject = dict(self.headers).get("ce_subject")
        if subject is not None and subject != self.key:
            raise UndecodableRecordError(f"the record's key is not its subject {subject[:100]!r}")
        fact = decode(self.value, self.headers, self.appended_at)
        if why := refusal(self.topic, fact.owner, fact.data, self.value):
            raise UndecodableRecordError(why)
        return fact


def _text(value: bytes | None) -> str:
    """Decode any bytes; NUL, which Postgres refuses, becomes the replacement character."""
    return (value or b"").decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


@lru_cache(maxsize=4096)  # called when an id is created, at each fact, and at each look-up
def partition_of(key: str, partitions: int) -> int:
    """The partition of a key: murmur2 as in the Java client."""
    return partition_of_bytes(key.encode(), partitions)


def partition_of_bytes(key: bytes, partitions: int) -> int:
    """The partition of a foreign record's key."""
    return int((murmur2(key) & POSITIVE) % partitions)
