"""A log reader that keeps its positions with its records, as every reader of the product does, and checks its calls."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from piperoll.log.consumer import PartitionConsumer
from piperoll.log.record import Position, Record
from piperoll.log.topics.groups import MemberNote
from piperoll.settings import Settings
from schemas.topics import Topic


@dataclass(slots=True)
class Book:
    """What all members of a group have accounted for together; stands for a database that they share."""

    positions: dict[int, int]
    values: list[bytes | None] = field(default_factory=list)
    places: list[Position] = field(default_factory=list)


class Bookkeeper:
    """One member's reader (piperoll.log.contract.Reader). Refuses what it should never be handed."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.mine: set[int] = set()
        self.given_up: list[set[int]] = []

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        assert not partitions & self.mine, "a partition that stayed was dealt out again"
        self.mine |= partitions
        return {part: self.book.positions[part] for part in partitions}

    async def revoked(self, partitions: set[int]) -> None:
        assert partitions <= self.mine
        self.mine -= partitions
        self.given_up.append(partitions)

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        assert partition in self.mine, "records of a partition that is not ours"
        assert [one.offset for one in records] == sorted({one.offset for one in records})
        assert records[0].offset >= self.book.positions[partition], "handed over again"
        self.book.values += [record.value for record in records]
        self.book.places += [record.position for record in records]
        self.book.positions[partition] = records[-1].offset + 1


@contextlib.asynccontextmanager
async def member(
    settings: Settings, group: str, topic: Topic, reader: Bookkeeper, note: MemberNote | None = None
) -> AsyncIterator[PartitionConsumer]:
    """A running member of a group; it stops in good order at the end."""
    consumer = PartitionConsumer(settings, group, topic, reader, note=note)
    stopping = asyncio.Event()
    task = asyncio.create_task(consumer.run(stopping))
    try:
        yield consumer
    finally:
        stopping.set()
        await task
