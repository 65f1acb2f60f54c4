"""Appends to Kafka: idempotent, all replicas, linger 0 (measured as best in latency and throughput)."""

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
    UnknownProducerId,
)

from piperoll.clock import happens_within
from piperoll.log.broker_clock import BrokerClock
from piperoll.log.contract import AppendError, OutcomeUnknownError
from piperoll.log.kafka import client_options, pace
from piperoll.log.record import Position, partition_of
from piperoll.settings import Settings
from schemas.envelope import Fact, Headers, encode
from schemas.topics import Topic

log = structlog.get_logger()

LOG_APPEND_TIME = 1  # Kafka's code of a timestamp that the broker set
SEND_S = 10.0  # to enter a record into the producer's memory, which waits only when that is full, or for metadata
LATE_S = 10.0  # an older append is a problem of readiness
REPLACE_AFTER_S = 60.0  # longer than a broker's restart: then a new producer is tried
END_AFTER_S = 300.0  # of which a new producer reached the broker in vain: then a new process is better
WATCH_S = 5.0
FLUSH_S = 3.0  # for the last records when the process ends
RETRY_PAUSE_S = 0.2  # the producer retries for its request timeout before it raises an error
LATE_MEMORY_S = 10.0  # after that the service reports ready again: without appends it cannot detect the recovery
MAX_RECORD_BYTES = 1_048_576  # Kafka's default; content is claim-checked, so facts are much smaller


class ProducerEndedError(KafkaError):  # type: ignore[misc]
    """The producer ended while it had the record, which may be in the log; another one sends it again."""


BROKEN = (
    InvalidProducerEpoch,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerEndedError,
    ProducerFenced,
    UnknownProducerId,
)
"""Errors after which aiokafka's producer never recovers (issues 1017, 510): a new one replaces it."""


class StalledProducerError(RuntimeError):
    """Kafka answers, but acknowledges nothing, also to a new producer. A new process has to take over."""


class KafkaAppender:
    """Appends facts. One per process: the order of one subject's facts is the order of the calls."""

    def __init__(self, settings: Settings, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self.clock = BrokerClock()
        self._producer: AIOKafkaProducer | None = None
        self._replacing = asyncio.Lock()
        self._late_at = -LATE_MEMORY_S
        self._began: dict[object, float] = {}  # the appends in progress, the oldest first
        self._unacknowledged: set[asyncio.Future[Any]] = set()
        self._replaced_at = -END_AFTER_S

    async def start(self) -> None:
        """Connect. Raises aiokafka's KafkaConnectionError when no broker answers."""
        self._producer = await self._new_producer()

    async def stop(self) -> None:
        """Send pending records for at most FLUSH_S, and close."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _close(producer, FLUSH_S)

    def problem(self) -> str | None:
        """A sentence while there is no connection, an append is late, and for a while after one missed its deadline."""
        if self._producer is None:
            return "the producer is not connected"
        if (age := self._oldest_s()) > LATE_S:
            return f"Kafka has not acknowledged an append for {age:.0f} s"
        late = time.monotonic() - self._late_at < LATE_MEMORY_S
        return "Kafka does not acknowledge appends" if late else None

    async def watch(self, stopping: asyncio.Event) -> None:
        """Replace a producer that acknowledges nothing although Kafka answers. Raises StalledProducerError."""
        while not await happens_within(stopping, WATCH_S):
            age, since_replaced = self._oldest_s(), time.monotonic() - self._replaced_at
            if age > END_AFTER_S and REPLACE_AFTER_S < since_replaced < age:
                raise StalledProducerError(f"Kafka answers, but has not acknowledged an append for {age:.0f} s")
            if age > REPLACE_AFTER_S and since_replaced > REPLACE_AFTER_S and self._producer is not None:
                await self._replace(self._producer, f"an append is {age:.0f} s old", once=True)

    def _oldest_s(self) -> float:
        return time.monotonic() - next(iter(self._began.values()), time.monotonic())

    async def append(self, topic: Topic, fact: Fact, deadline_s: float | None = None) -> Position:
        """See piperoll.log.contract.Appender."""
        key, value, headers = encode(fact)
        home = partition_of(fact.subject, self._settings.partitions)
        return await self._append(topic, key, value, headers, home, deadline_s)

    async def append_raw(
        self,
        topic: Topic,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        deadline_s: float | None = None,
    ) -> Position:
        """See piperoll.log.contract.RawAppender."""
        if key is None and value is None:
            value = b""  # the client library requires a key or a value
        return await self._append(topic, key, value, headers, None, deadline_s)

    async def _append(
        self,
        topic: Topic,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        partition: int | None,
        deadline_s: float | None,
    ) -> Position:
        self._began[append := object()] = time.monotonic()
        try:
            async with asyncio.timeout(deadline_s):
                return await self._send(topic, key, value, headers, partition)
        except TimeoutError as error:
            self._late_at = time.monotonic()
            raise OutcomeUnknownError(
                f"Kafka did not acknowledge within {deadline_s:g} s; the fact may still arrive"
            ) from error
        finally:
            del self._began[append]

    async def _send(
        self, topic: Topic, key: bytes | None, value: bytes | None, headers: Headers, partition: int | None
    ) -> Position:
        while True:
            producer = self._producer
            if producer is None:
                raise AppendError("the producer is stopped")
            try:
                placed = await self._placed(producer, topic, key, value, headers, partition)
                return Position(placed.partition, placed.offset)
            except BROKEN as error:
                await self._replace(producer, repr(error))
            except MessageSizeTooLargeError as error:
                raise AppendError(f"the record is larger than {MAX_RECORD_BYTES} bytes") from error
            except KafkaError as error:
                # With idempotence, these errors mean refused or never sent; both may be retried,
                # and a second copy would be dropped by the fold.
                log.warning("append_retried", topic=topic.name, error=repr(error))
                await asyncio.sleep(RETRY_PAUSE_S)
            except Exception as error:
                if not _ended(producer):
                    raise
                await self._replace(producer, repr(error))  # the error ended its sender

    async def _placed(
        self,
        producer: AIOKafkaProducer,
        topic: Topic,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        partition: int | None,
    ) -> Any:
        """The acknowledgement of a record. Raises ProducerEndedError when the producer can give none."""
        if _ended(producer):
            raise ProducerEndedError
        began = time.monotonic()
        sending = asyncio.timeout(SEND_S)
        try:
            async with sending:
                future = await producer.send(topic.name, value=value, key=key, partition=partition, headers=headers)
        except TimeoutError as error:
            raise KafkaTimeoutError(f"no room for a record within {SEND_S:g} s") from error
        if _ended(producer) and not future.done():
            raise ProducerEndedError  # it ended while the record was entered
        self._unacknowledged.add(future)
        try:
            placed = await future
            if placed.timestamp_type == LOG_APPEND_TIME:
                self.clock.sample(placed.timestamp, time.monotonic() - began)
            return placed
        finally:
            self._unacknowledged.discard(future)

    async def _replace(self, broken: AIOKafkaProducer, why: str, once: bool = False) -> None:
        """Put a new producer in the place of a broken one; `once`: keep it when Kafka does not answer."""
        async with self._replacing:
            if self._producer is not broken:
                return  # another append replaced it while this one waited
            while True:
                try:
                    self._producer = await self._new_producer()
                    break
                except (KafkaConnectionError, KafkaTimeoutError) as refused:
                    log.warning("producer_waits_for_kafka", error=repr(refused), replaced_because=why)
                    if once:
                        return
                    await asyncio.sleep(RETRY_PAUSE_S)
            log.warning("producer_replaced", why=why)
            self._replaced_at = time.monotonic()
            self._give_up(ProducerEndedError())
            await _close(broken, 1)

    def _give_up(self, error: ProducerEndedError) -> None:
        """Have all unacknowledged records sent again."""
        for future in tuple(self._unacknowledged):
            if not future.done():
                future.set_exception(error)

    async def _new_producer(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **client_options(self._settings),
            client_id=self._client_id,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_request_size=MAX_RECORD_BYTES,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        pace(producer.client)
        producer._sender.sender_task.add_done_callback(partial(self._sender_ended, producer))
        return producer

    def _sender_ended(self, producer: AIOKafkaProducer, task: "asyncio.Task[None]") -> None:
        """aiokafka's producer never notices that the task that sends for it has ended (issues 907, 1004)."""
        if producer is self._producer:
            error = "cancelled" if task.cancelled() else repr(task.exception())
            log.error("producer_sender_ended", error=error)
            self._give_up(ProducerEndedError(error))


def _ended(producer: AIOKafkaProducer) -> bool:
    """Whether a producer cannot send any more."""
    return bool(producer._sender.sender_task.done())


async def _close(producer: AIOKafkaProducer, seconds: float) -> None:
    """Flush and close a producer; after `seconds`, or if it cannot, close its connections only."""
    task = asyncio.current_task()
    try:
        async with asyncio.timeout(seconds):
            await producer.stop()
    except asyncio.CancelledError:
        if task is not None and task.cancelling():
            raise  # that one is of the calling task; the other one of the sender
        await _disconnect(producer)
    except Exception as error:  # noqa: BLE001 - whatever ended its sender is raised again here
        log.info("producer_not_flushed", error=repr(error))
        await _disconnect(producer)


async def _disconnect(producer: AIOKafkaProducer) -> None:
    producer._sender.sender_task.cancel()
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await producer.client.close()
