"""What a log offers, whichever it is: appending facts, and reading partitions with positions kept by the reader."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from piperoll.log.record import Position, Record
from schemas.envelope import Fact, Headers
from schemas.topics import Topic


class AppendError(RuntimeError):
    """The fact could not be appended, and will not be."""


class OutcomeUnknownError(AppendError):
    """The deadline passed before the acknowledgement. The fact may still arrive; repeating it is harmless."""


class Appender(Protocol):
    """Appends facts."""

    async def append(self, topic: Topic, fact: Fact, deadline_s: float | None = None) -> Position:
        """Append one fact under its subject and return its position, once all replicas have it.

        Facts of one subject appended one after the other keep that order. Without a deadline it waits for as long
        as the log is away. Raises OutcomeUnknownError when `deadline_s` passed, AppendError when it is refused.
        """
        ...


class RawAppender(Protocol):
    """Appends records as they are."""

    async def append_raw(
        self,
        topic: Topic,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        deadline_s: float | None = None,
    ) -> Position:
        """As Appender.append, for a record that is encoded already or cannot be decoded."""
        ...


class Reader(Protocol):
    """What the partitions are read into. It owns its positions: they are stored with what they account for."""

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        """Take over partitions that it did not have; return the offset to read each from."""
        ...

    async def revoked(self, partitions: set[int]) -> None:
        """Gives partitions up for good. Nothing of them is handed over afterwards."""
        ...

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        """Accounts for records of one partition, in offset order. Must be idempotent by offset."""
        ...


class Offsets(Protocol):
    """Looks at a topic without reading it."""

    async def end_offsets(self, topic: Topic) -> dict[int, int]:
        """Per partition, the offset that the next record will get."""
        ...


class LogView(Offsets, Protocol):
    """Reads topics without a consumer group and without storing a position."""

    async def cluster_id(self) -> str:
        """The id that the cluster got when it was formatted."""
        ...

    async def begin_offsets(self, topic: Topic) -> dict[int, int]:
        """Per partition, the first offset that is kept."""
        ...

    async def offsets_at(self, topic: Topic, time: datetime) -> dict[int, int]:
        """Per partition, the first offset appended at `time` or later; the end where there is none."""
        ...

    async def read_range(
        self, topic: Topic, begin: dict[int, int], end: dict[int, int], limit: int | None = None
    ) -> list[Record]:
        """The records from `begin` up to but not including `end`."""
        ...

    def scan(self, topic: Topic, begin: dict[int, int], end: dict[int, int]) -> AsyncGenerator[list[Record], None]:
        """The same, in lists of records of one partition each. To be closed if it is left before its end."""
        ...
