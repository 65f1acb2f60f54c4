"""A log in memory with the contract of the real one, for tests that ask what code does and not what Kafka does."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from piperoll.clock import Clock, utc_now
from piperoll.log.contract import PartitionBusyError, Reader
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.identity import LogIdentity
from piperoll.log.record import Position, Record, partition_of_bytes
from piperoll.log.stops import SkippedRecords, Stops
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.envelope import Fact, Headers, encode
from schemas.topics import MANIFEST, Topic

BUSY_S = 0.01  # while another process holds a partition


@dataclass(slots=True)
class _Subscription:
    reader: Reader
    stops: Stops
    next_offsets: dict[int, int] = field(default_factory=dict)


class MemoryLog:
    """Keeps every record. Readers get what is new when `deliver` is called, so a test decides when time passes.

    A partition at whose next event a reader stops is tried again at the next call. `skipped` are an operator's
    decisions about such events.
    """

    def __init__(self, partitions: int = 3, clock: Clock = utc_now, skipped: SkippedRecords | None = None) -> None:
        self.partitions = partitions
        self.skipped = skipped or SkippedRecords(AsyncBlobs(Blobs("memory:///")))
        self._clock = clock
        self._records: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self.ids = LogIdentity("memory", {topic.name: f"id of {topic.name}" for topic in MANIFEST if topic.groups})
        self._subscriptions: dict[str, list[_Subscription]] = defaultdict(list)

    async def append(self, topic: Topic, fact: Fact, deadline_s: float | None = None) -> Position:
        """See piperoll.log.contract.Appender."""
        key, value, headers = encode(fact)
        return await self.append_raw(topic, key, value, headers, deadline_s)

    async def append_raw(
        self,
        topic: Topic,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        deadline_s: float | None = None,
    ) -> Position:
        """Appends a record as it is, to the partition of its key."""
        return self.place(topic, key, value, headers).position

    def place(self, topic: Topic, key: bytes | None, value: bytes | None, headers: Headers) -> Record:
        """The same, at once."""
        return self.place_in(topic, partition_of_bytes(key or b"", self.partitions), key, value, headers)

    def place_in(self, topic: Topic, part: int, key: bytes | None, value: bytes | None, headers: Headers) -> Record:
        """Appends a record to any partition, as a foreign partitioner may."""
        kept = self._records[topic.name, part]
        stamp = int(self._clock().astimezone(UTC).timestamp() * 1000)
        record = Record(topic.name, part, len(kept), stamp, key, value, headers, self.partitions)
        kept.append(record)
        return record

    def go_back(self, topic: Topic, ends: dict[int, int]) -> None:
        """Become an older state: what was appended after these ends is lost."""
        for part, end in ends.items():
            del self._records[topic.name, part][end:]

    def records(self, topic: Topic, part: int) -> list[Record]:
        """All records of a partition."""
        return self._records[topic.name, part]

    def end_of(self, topic: Topic, part: int) -> int:
        """The offset of the next record of a partition."""
        return len(self._records[topic.name, part])

    async def cluster_id(self) -> str:
        """A constant, unless a test replaced the log's identity."""
        return self.ids.cluster_id

    async def identity(self) -> LogIdentity:
        """That of `ids`, which a test may replace."""
        return self.ids

    async def end_offsets(self, topic: Topic) -> dict[int, int]:
        """See piperoll.log.contract.Offsets."""
        return {part: len(self._records[topic.name, part]) for part in range(self.partitions)}

    async def begin_offsets(self, topic: Topic) -> dict[int, int]:
        """Per partition, the first offset that is kept: everything is."""
        return dict.fromkeys(range(self.partitions), 0)

    async def read_range(
        self, topic: Topic, begin: dict[int, int], end: dict[int, int], limit: int | None = None
    ) -> list[Record]:
        """The records from `begin` up to but not including `end`."""
        found = [
            record
            for part, offset in sorted(begin.items())
            for record in self._records[topic.name, part][offset : end.get(part, 0)]
        ]
        return found[:limit]

    async def scan(
        self, topic: Topic, begin: dict[int, int], end: dict[int, int]
    ) -> AsyncGenerator[list[Record], None]:
        """The same records, a list for each partition."""
        for part, offset in sorted(begin.items()):
            if found := await self.read_range(topic, {part: offset}, end):
                yield found

    async def offsets_at(self, topic: Topic, time: datetime) -> dict[int, int]:
        """Per partition, the first offset appended at `time` or later; the end where there is none."""
        asked = int(time.timestamp() * 1000)
        return {
            part: next((r.offset for r in self._records[topic.name, part] if r.timestamp_ms >= asked), end)
            for part, end in (await self.end_offsets(topic)).items()
        }

    async def subscribe(self, topic: Topic, reader: Reader, partitions: set[int] | None = None) -> dict[int, int]:
        """Deals `partitions` (all by default) to a reader; returns the offsets that it begins with."""
        dealt = set(range(self.partitions)) if partitions is None else partitions
        stops = Stops(f"{type(reader).__name__} of {topic.name}", self.skipped, DeadLetters(self))
        begins = dict(await reader.assigned(dealt))
        while late := dealt - begins.keys():
            begins.update(await reader.assigned(late))
        self._subscriptions[topic.name].append(_Subscription(reader, stops, dict(begins)))
        return begins

    async def unsubscribe(self, topic: Topic, reader: Reader) -> None:
        """Takes a reader's partitions away."""
        for subscription in list(self._subscriptions[topic.name]):
            if subscription.reader is reader:
                await reader.revoked(set(subscription.next_offsets))
                self._subscriptions[topic.name].remove(subscription)

    async def deliver(self, max_records: int = 1000) -> int:
        """Hands every reader what is new to it, in polls of at most `max_records`; answers how many records."""
        handed = 0
        for topic_name, subscriptions in list(self._subscriptions.items()):
            for subscription in list(subscriptions):
                for part in sorted(subscription.next_offsets):
                    handed += await self._deliver_to(subscription, topic_name, part, max_records)
        return handed

    async def _deliver_to(self, subscription: _Subscription, topic_name: str, part: int, max_records: int) -> int:
        kept, handed = self._records[topic_name, part], 0
        while batch := kept[subscription.next_offsets[part] :][:max_records]:
            while True:
                try:
                    stopped = await subscription.stops.handle(subscription.reader, part, batch)
                    break
                except PartitionBusyError:  # as the consumer, which reads the other partitions meanwhile
                    await asyncio.sleep(BUSY_S)
            if stopped is not None:
                subscription.next_offsets[part] = stopped
                return handed
            subscription.next_offsets[part] = batch[-1].offset + 1
            handed += len(batch)
        return handed
