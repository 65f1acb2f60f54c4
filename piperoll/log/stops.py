"""What a reader does at an event of a later release: its partition waits there, all others go on.

To pass over such an event could corrupt the partition's state, so it waits for a release that knows it, or for an
operator who skips it. The stop is visible: in the readiness, in a metric, and as a dead letter of the kind `stopped`.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import Gauge

from piperoll.log.contract import Reader
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.parking import Decoded, decode, refuse
from piperoll.log.record import Position, Record
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, BlobStoreError
from schemas.envelope import UnknownEventError

log = structlog.get_logger()

STOPPED_PARTITIONS = Gauge(
    "piperoll_stopped_partitions", "Partitions that wait at an event of a later release", ["consumer"]
)
FOLDER = "dead-letters/skipped"
PAUSE_S = 2.0  # how soon a stopped partition continues after an operator's decision
ASK_S = 3.0  # once for a question to the blob store; meanwhile no other partition is read


class SkippedRecords:
    """The records that an operator has decided to skip: marker blobs, since every reader needs them for ever."""

    def __init__(self, blobs: AsyncBlobs) -> None:
        self._blobs = blobs

    async def add(self, topic: str, position: Position) -> None:
        """Have every reader park the record at this position. Raises BlobStoreError."""
        await self._blobs.mark(_marker(topic, position))

    async def decode(self, record: Record) -> Decoded:
        """Decode a record; an event of a later release that is skipped has no fact. Raises UnknownEventError."""
        try:
            return decode(record)
        except UnknownEventError as error:
            if await self.has(record.topic, record.position):
                return decode(_refuse(record, error))
            raise

    async def has(self, topic: str, position: Position) -> bool:
        """Whether the record is to be parked. Raises BlobStoreError."""
        try:
            await self._blobs.size(_marker(topic, position))
        except BlobMissingError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Stop:
    """A partition that waits at `offset`, and is read again at `again_at` of the monotonic clock."""

    offset: int
    why: str
    again_at: float


class Stops:
    """Hands polls to the readers of one consumer, and keeps the partitions that stopped."""

    def __init__(self, consumer: str, skipped: SkippedRecords, dead_letters: DeadLetters | None) -> None:
        self._consumer = consumer
        self._skipped = skipped
        self._dead_letters = dead_letters
        self._stopped: dict[int, Stop] = {}
        self._asked: dict[tuple[str, Position], asyncio.Task[bool]] = {}  # what the store has not answered yet

    def problem(self) -> str | None:
        """A sentence while partitions wait."""
        if not self._stopped:
            return None
        places = ", ".join(f"{part}:{stop.offset} ({stop.why})" for part, stop in sorted(self._stopped.items()))
        return f"stopped at {places}; or skip the event: `piperoll dead-letters list` names the command"

    @property
    def partitions(self) -> set[int]:
        """The partitions that wait."""
        return set(self._stopped)

    def due(self) -> list[int]:
        """The partitions to try again now."""
        now = time.monotonic()
        return [part for part, stop in self._stopped.items() if now >= stop.again_at]

    def forget(self, partition: int) -> None:
        """Forget a partition that was given up."""
        self._stopped.pop(partition, None)
        for key in [one for one in self._asked if one[1].partition == partition]:
            self._asked.pop(key).cancel()
        self._measure()

    async def handle(self, reader: Reader, partition: int, records: Sequence[Record]) -> int | None:
        """Have `reader` account for `records`; return the offset of an event at which the partition stops.

        What precedes it is accounted for.
        """
        rest = list(records)
        while True:
            try:
                if rest:
                    await reader.handle(partition, rest)
            except UnknownEventError as error:
                index = _first_unknown(rest)
                if index is None:
                    raise
                unknown = rest[index]
                if index:
                    await reader.handle(partition, rest[:index])
                if not await self._is_skipped(unknown):
                    await self._stop(unknown, str(error))
                    return unknown.offset
                rest = [_refuse(unknown, error), *rest[index + 1 :]]
            else:
                self.forget(partition)
                return None

    async def _is_skipped(self, record: Record) -> bool:
        """Whether an operator skips it. Not as long as the store does not answer: a later call returns its answer."""
        key = record.topic, record.position
        is_new = key not in self._asked
        if is_new:
            self._asked[key] = asyncio.create_task(self._skipped.has(*key))
        await asyncio.wait([self._asked[key]], timeout=ASK_S if is_new else 0)
        if not self._asked[key].done():
            log.warning("skipped_records_unknown", error="the blob store does not answer")
            return False
        try:
            return self._asked.pop(key).result()
        except BlobStoreError as error:
            log.warning("skipped_records_unknown", error=str(error))
            return False

    async def _stop(self, record: Record, why: str) -> None:
        known = self._stopped.get(record.partition)
        self._stopped[record.partition] = Stop(record.offset, why, time.monotonic() + PAUSE_S)
        self._measure()
        if known is not None and known.offset == record.offset:
            return
        log.error("partition_stopped", topic=record.topic, position=str(record.position), why=why)
        if self._dead_letters is not None:
            await self._dead_letters.stopped(self._consumer, record, why)

    def _measure(self) -> None:
        STOPPED_PARTITIONS.labels(self._consumer).set(len(self._stopped))


def _refuse(record: Record, error: UnknownEventError) -> Record:
    return refuse(record, f"skipped by an operator: {error}")


def _first_unknown(records: Sequence[Record]) -> int | None:
    for index, record in enumerate(records):
        try:
            decode(record)
        except UnknownEventError:
            return index
    return None


def _marker(topic: str, position: Position) -> str:
    return f"{FOLDER}/{topic}/{position.partition}-{position.offset}"
