"""The interface of a log: append facts, and read partitions with positions stored by the reader."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from piperoll.log.identity import LogIdentity
from piperoll.log.record import Position, Record
from schemas.envelope import Fact, Headers
from schemas.topics import Topic


class AppendError(RuntimeError):
    """The fact could not be appended, and will not be."""


class OutcomeUnknownError(AppendError):
    """The deadline passed before the acknowledgement. The fact may still arrive; repeating it is harmless."""


class PartitionBusyError(RuntimeError):
    """Another process holds the partition's checkpoint; the text names it. The records can be handed over later."""


class Appender(Protocol):
    """Appends facts."""

    async def append(self, topic: Topic, fact: Fact, deadline_s: float | None = None) -> Position:
        """Append one fact under its subject and return its position, once all replicas have it.

        Successive facts of one subject keep their order. Without a deadline it waits until the log is available.
        Raises OutcomeUnknownError after `deadline_s`, AppendError when it is refused.
        """
        ...


class RawAppender(Protocol):
    """Appends encoded records."""

    async def append_raw(
        self,
        topic: Topic,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        deadline_s: float | None = None,
    ) -> Position:
        """As Appender.append, for a record that is already encoded or cannot be decoded."""
        ...


class LogWriter(Appender, RawAppender, Protocol):
    """Appends facts, and encoded records."""


class Reader(Protocol):
    """A reader of partitions. It owns its positions: they are stored together with the results of reading."""

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        """Take over new partitions; return the offset to read each from.

        A partition that is left out is not loaded yet: it is asked for again, and the others are read meanwhile.
        """
        ...

    async def revoked(self, partitions: set[int]) -> None:
        """Give partitions up for good, loaded or not. No record of them is delivered afterwards."""
        ...

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        """Account for records of one partition, in offset order. Must be idempotent by offset.

        Raises PartitionBusyError when they must be handed over again later.
        """
        ...


class Offsets(Protocol):
    """Reads the ends of topics."""

    async def end_offsets(self, topic: Topic) -> dict[int, int]:
        """The offset of the next record, by partition."""
        ...


class LogView(Offsets, Protocol):
    """Reads topics without a consumer group and without storing a position."""

    async def cluster_id(self) -> str:
        """The id that the cluster got when it was formatted."""
        ...

    async def identity(self) -> LogIdentity:
        """The ids of the cluster and of its topics at present."""
        ...

    async def begin_offsets(self, topic: Topic) -> dict[int, int]:
        """The first offset that is kept, by partition."""
        ...

    async def offsets_at(self, topic: Topic, time: datetime) -> dict[int, int]:
        """The first offset appended at `time` or later, by partition; the end if there is none."""
        ...

    async def read_range(
        self, topic: Topic, begin: dict[int, int], end: dict[int, int], limit: int | None = None
    ) -> list[Record]:
        """The records from `begin` up to but not including `end`."""
        ...

    def scan(self, topic: Topic, begin: dict[int, int], end: dict[int, int]) -> AsyncGenerator[list[Record], None]:
        """The same, in lists of records of one partition each. Must be closed if it is left before its end."""
        ...
