"""Reads partitions into a Reader that stores its own positions. Kafka's group only assigns the partitions.

One task does everything in turn: take over partitions, poll, call the reader. The rebalance callbacks only store the
assignment, so nothing runs concurrently with the poll and no lock is needed (a lock around both deadlocks). A
revocation is provisional: the partitions that a rebalance really removed are the difference at the next assignment,
and a remaining partition is sought to the position it had reached, because aiokafka forgets it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError

from piperoll.clock import happens_within, pauses
from piperoll.log import watchdog
from piperoll.log.broker_clock import BrokerClock
from piperoll.log.contract import PartitionBusyError, Reader
from piperoll.log.kafka import client_options, close, pace, record_of
from piperoll.log.membership import Membership
from piperoll.log.put_back import PutBack
from piperoll.log.record import Record
from piperoll.log.stops import Stops
from piperoll.log.topics.groups import MemberNote
from piperoll.settings import Settings
from schemas.topics import Topic

log = structlog.get_logger()

POLL_MS = 200
MAX_RECORDS = 1000  # keeps the loop free for about 8 ms; 5,000 held it for 60
COMMIT_INTERVAL_S = 5.0  # for dashboards and piperoll.log.topics.groups; no reader goes on from the committed offsets
COMMIT_TIMEOUT_S = 2.0  # without Kafka the client library retries for ever, and no drain would end
WATCH_INTERVAL_S = 10.0
BROKER_DEADLINE_S = 3.0  # for requests between polls; nothing else is read meanwhile
BEHIND_RECORDS = 16  # more than arrive during one poll's work at 100 jobs a second
GATHER_S = 0.02
LATE_S = 1.0  # between two questions about partitions that the reader has not loaded


class StalledConsumerError(RuntimeError):
    """The consumer stopped moving although there are more records. A new process has to take over."""


class _Notes(ConsumerRebalanceListener):  # type: ignore[misc]
    """The last assignment of the group; read by the poll loop."""

    def __init__(self, membership: Membership) -> None:
        self.assigned: set[int] | None = None
        self._membership = membership

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Nothing yet: most of them are assigned again."""

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Store the partitions that this member now has."""
        self.assigned = {tp.partition for tp in assigned}
        self._membership.confirm()


class PartitionConsumer:
    """Reads one topic as a member of a group. `on_lag(partition, records behind)` is called after each poll.

    `confirm` is called too, with or without records: a reader compares its stored positions there when that is due.
    `clock` learns from the times of the records. With `stops` a partition that meets an event of a later release is
    paused, and tried again from time to time. `note` is committed beside the positions (`piperoll.log.topics.groups`).
    """

    def __init__(
        self,
        settings: Settings,
        group: str,
        topic: Topic,
        reader: Reader,
        on_lag: Callable[[int, int], None] | None = None,
        confirm: Callable[[], Awaitable[None]] | None = None,
        clock: BrokerClock | None = None,
        stops: Stops | None = None,
        note: MemberNote | None = None,
    ) -> None:
        self._settings = settings
        self._group = group
        self._topic = topic
        self._reader = reader
        self._on_lag = on_lag
        self._confirm = confirm
        self._clock = clock or BrokerClock()
        self.membership = Membership(settings.session_timeout_s)
        self._notes = _Notes(self.membership)
        self._stops = stops
        self._note = "" if note is None else note.model_dump_json()
        self._next: dict[int, int] = {}
        self._late: set[int] = set()  # not loaded by the reader yet
        self._ask_at = 0.0
        self._lags: dict[int, int] = {}
        self._committed: dict[int, int] = {}
        self._joined = False
        self._put_back = PutBack(topic.name)
        self._watched = watchdog.StallWatch()

    @property
    def positions(self) -> dict[int, int]:
        """The next offset of each partition of this member."""
        return dict(self._next)

    def problem(self) -> str | None:
        """A sentence until the group has assigned its partitions, and while something keeps one of them from going on.

        That is the coordinator, a lock of another process, or an event of a later release.
        """
        if not self._joined:
            return f"{self._group} has not joined its consumer group yet"
        if not self.membership.is_current():
            return f"the coordinator of {self._group} has not answered for a session timeout"
        return self._put_back.problem() or (None if self._stops is None else self._stops.problem())

    async def run(self, stopping: asyncio.Event) -> None:
        """Read until `stopping` is set, then leave the group. Raises StalledConsumerError, and the reader's errors."""
        consumer = self._new_consumer()
        committed = watched = time.monotonic()
        try:
            await consumer.start()
            pace(consumer._client)
            consumer.subscribe([self._topic.name], listener=self._notes)
            self.membership.follow(consumer._coordinator)
            while not stopping.is_set():
                await self._apply_assignment(consumer, stopping)
                await self._take_late(consumer, stopping)
                await self._poll(consumer)
                if self._confirm is not None:
                    await self._confirm()
                await self._gather()
                now = time.monotonic()
                if now - committed > COMMIT_INTERVAL_S:
                    await self._commit(consumer)
                    committed = now
                if now - watched > WATCH_INTERVAL_S:
                    await self._watch(consumer)
                    watched = now
            await self._reader.revoked(set(self._next) | self._late)
            await self._commit(consumer)
        finally:
            await close(consumer)

    async def _apply_assignment(self, consumer: AIOKafkaConsumer, stopping: asyncio.Event) -> None:
        """Apply the newest assignment: give up lost partitions, start new ones, seek all."""
        while (assigned := self._notes.assigned) is not None:
            self._notes.assigned = None
            mine = set(self._next) | self._late
            gone, new = mine - assigned, assigned - mine
            log.info("partitions_assigned", group=self._group, new=sorted(new), gone=sorted(gone))
            if gone:
                await self._reader.revoked(gone)
                for part in gone:
                    self._put_back.clear(part)
                    if self._stops is not None:
                        self._stops.forget(part)
                self._late &= assigned
                self._next = {part: offset for part, offset in self._next.items() if part in assigned}
                self._lags = {part: lag for part, lag in self._lags.items() if part in assigned}
                self._committed = {part: at for part, at in self._committed.items() if part in assigned}
            if new:
                await self._assign(new, stopping)
            self._seek_all(consumer)
            for part in self._late:
                self._pause(consumer, TopicPartition(self._topic.name, part), 0)
            self._joined = True

    async def _take_late(self, consumer: AIOKafkaConsumer, stopping: asyncio.Event) -> None:
        """Ask again for partitions that the reader had not loaded, and read those that it has."""
        if not self._late or time.monotonic() < self._ask_at:
            return
        found = await self._assign(set(self._late), stopping)
        self._ask_at = time.monotonic() + LATE_S
        for part, offset in found.items():
            with suppress(IllegalStateError):  # a rebalance is in progress; its assignment seeks
                consumer.seek(TopicPartition(self._topic.name, part), offset)
                consumer.resume(TopicPartition(self._topic.name, part))

    async def _assign(self, new: set[int], stopping: asyncio.Event) -> Mapping[int, int]:
        """Have the reader take partitions over; return its positions. Those that it has not loaded are late.

        Repeated while Kafka does not answer the reader's questions. Nothing when a newer assignment or the stop ends
        the wait: what this member has goes on, and what the reader began to load is late until it is given up.
        """
        self._late |= new
        for pause in pauses():
            try:
                found = await self._reader.assigned(new)
            except (KafkaError, TimeoutError) as error:
                log.warning("assignment_delayed", group=self._group, partitions=sorted(new), error=repr(error))
            else:
                self._next.update(found)
                self._late -= found.keys()
                return found
            if await happens_within(stopping, pause) or self._notes.assigned is not None:
                break
        return {}

    def _seek_all(self, consumer: AIOKafkaConsumer) -> None:
        for part, offset in self._next.items():
            try:
                consumer.seek(TopicPartition(self._topic.name, part), offset)
            except IllegalStateError:
                return  # another rebalance is in progress; its assignment seeks again

    async def _poll(self, consumer: AIOKafkaConsumer) -> None:
        self._resume(consumer)
        try:
            polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_RECORDS)
        except NoOffsetForPartitionError:
            await asyncio.sleep(0)  # assigned but not sought yet: the assignment is stored, or arrives at once
            return
        if self._notes.assigned is not None:
            return  # read before the seek of a new assignment: it will be read again
        for tp, raw in polled.items():
            await self._hand_over(consumer, tp, raw)
            if self._notes.assigned is not None:
                return  # the rest of this poll may be of partitions that another process has now

    async def _hand_over(self, consumer: AIOKafkaConsumer, tp: TopicPartition, raw: list[object]) -> None:
        expected = self._next.get(tp.partition)
        records = [record_of(one, self._settings.partitions) for one in raw]
        if expected is None or not records:
            return
        records = [record for record in records if record.offset >= expected]
        if not records:
            return
        self._clock.read(records[-1].timestamp_ms)
        try:
            stopped = await self._handle(tp.partition, records)
        except PartitionBusyError as error:
            self._put_back.add(tp.partition, error)
            self._pause(consumer, tp, expected)
            return
        self._put_back.clear(tp.partition)
        self._next[tp.partition] = records[-1].offset + 1 if stopped is None else stopped
        if stopped is not None:
            self._pause(consumer, tp, stopped)
        if tp not in consumer.assignment():
            return  # a rebalance took it meanwhile
        self._lags[tp.partition] = lag = (consumer.highwater(tp) or 0) - self._next[tp.partition]
        if self._on_lag is not None:
            self._on_lag(tp.partition, lag)

    async def _handle(self, partition: int, records: list[Record]) -> int | None:
        """Hand records to the reader; return the offset at which the partition is stopped."""
        if self._stops is None:
            await self._reader.handle(partition, records)
            return None
        return await self._stops.handle(self._reader, partition, records)

    def _pause(self, consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int) -> None:
        """Read no further than `offset` for a moment. A rebalance ends the pause early, which is harmless."""
        if self._notes.assigned is None:  # or its assignment seeks again
            with suppress(IllegalStateError):  # the rebalance is not noted yet
                consumer.pause(tp)
                consumer.seek(tp, offset)

    def _resume(self, consumer: AIOKafkaConsumer) -> None:
        """Read partitions again that were put back or stopped a moment ago. A rebalance resumes them too."""
        stopped = [] if self._stops is None else self._stops.due()
        for part in [*self._put_back.due(), *stopped]:
            if (tp := TopicPartition(self._topic.name, part)) in consumer.paused():
                consumer.resume(tp)

    def _waiting(self) -> set[int]:
        """The partitions that wait at an event of a later release or for another process: they do not stall."""
        stopped = set() if self._stops is None else self._stops.partitions
        return stopped | self._put_back.partitions

    async def _gather(self) -> None:
        """Wait for more records when this reader is behind: a poll costs about as much for one record as for twenty.

        A reader that keeps up never waits, nor does one with more than a full poll to read.
        """
        behind = sum(lag for part, lag in self._lags.items() if part not in self._waiting())
        if BEHIND_RECORDS <= behind < MAX_RECORDS:
            await asyncio.sleep(GATHER_S)

    async def _commit(self, consumer: AIOKafkaConsumer) -> None:
        """Commit the positions of this member, for dashboards of lag, and its note."""
        moved = dict(self._next.items() - self._committed.items())
        offsets = {TopicPartition(self._topic.name, part): (offset, self._note) for part, offset in moved.items()}
        if not offsets:
            return
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT_S):
                await consumer.commit(offsets)
            self._committed.update(moved)
        except (KafkaError, IllegalStateError, TimeoutError) as error:
            log.debug("lag_commit_skipped", group=self._group, error=repr(error))

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        parts = [TopicPartition(self._topic.name, part) for part in self._next if part not in self._waiting()]
        try:
            async with asyncio.timeout(BROKER_DEADLINE_S):
                ends = await consumer.end_offsets(parts) if parts else {}
                # The client's own positions: they pass gaps at the end, unlike the positions kept here.
                positions = {tp.partition: await consumer.position(tp) for tp in parts}
        except (KafkaError, IllegalStateError, TimeoutError):
            # The broker is away: this is not a stall, and the client is reconnecting.
            self._watched = watchdog.StallWatch()
            return
        by_part = {tp.partition: end for tp, end in ends.items()}
        self._watched = watchdog.observe(self._watched, positions, by_part)
        if stalled := watchdog.stalled(self._watched):
            raise StalledConsumerError(f"{self._group} stopped in {stalled} at {positions}, the ends are {by_part}")

    def _new_consumer(self) -> AIOKafkaConsumer:
        session_ms = int(self._settings.session_timeout_s * 1000)
        return AIOKafkaConsumer(
            **client_options(self._settings),
            group_id=self._group,
            group_instance_id=self._settings.instance if self._settings.static_membership else None,
            client_id=self._settings.instance,
            enable_auto_commit=False,
            auto_offset_reset="none",
            partition_assignment_strategy=[StickyPartitionAssignor],
            session_timeout_ms=session_ms,
            rebalance_timeout_ms=session_ms,  # its default is the session timeout's default, not its value
            heartbeat_interval_ms=max(200, session_ms // 10),
            max_poll_interval_ms=300_000,
            metadata_max_age_ms=30_000,
        )
