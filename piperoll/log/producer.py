"""Appends to Kafka: idempotent, all replicas, linger 0 (measured as best in latency and throughput)."""

import asyncio
import time

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

from piperoll.log.contract import AppendError, OutcomeUnknownError
from piperoll.log.kafka import client_options, pace
from piperoll.log.record import Position, partition_of
from piperoll.settings import Settings
from schemas.envelope import Fact, Headers, encode
from schemas.topics import Topic

log = structlog.get_logger()

BROKEN = (InvalidProducerEpoch, OutOfOrderSequenceNumber, ProducerClosed, ProducerFenced, UnknownProducerId)
"""Errors after which aiokafka's producer never recovers (issues 1017, 510): a new one replaces it."""

RETRY_PAUSE_S = 0.2  # the producer retries for its request timeout before it raises an error
LATE_MEMORY_S = 10.0  # after that the service reports ready again: without appends it cannot detect the recovery
MAX_RECORD_BYTES = 1_048_576  # Kafka's default; content is claim-checked, so facts are much smaller


class KafkaAppender:
    """Appends facts. One per process: the order of one subject's facts is the order of the calls."""

    def __init__(self, settings: Settings, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._replacing = asyncio.Lock()
        self._late_at = -LATE_MEMORY_S

    async def start(self) -> None:
        """Connect. Raises aiokafka's KafkaConnectionError when no broker answers."""
        self._producer = await self._new_producer()

    async def stop(self) -> None:
        """Send pending records, and close."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    def problem(self) -> str | None:
        """A sentence while there is no connection, and for a while after an append missed its deadline."""
        if self._producer is None:
            return "the producer is not connected"
        late = time.monotonic() - self._late_at < LATE_MEMORY_S
        return "Kafka does not acknowledge appends" if late else None

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
        try:
            async with asyncio.timeout(deadline_s):
                return await self._send(topic, key, value, headers, partition)
        except TimeoutError as error:
            self._late_at = time.monotonic()
            raise OutcomeUnknownError(
                f"Kafka did not acknowledge within {deadline_s:g} s; the fact may still arrive"
            ) from error

    async def _send(
        self, topic: Topic, key: bytes | None, value: bytes | None, headers: Headers, partition: int | None
    ) -> Position:
        while True:
            producer = self._producer
            if producer is None:
                raise AppendError("the producer is stopped")
            try:
                future = await producer.send(topic.name, value=value, key=key, partition=partition, headers=headers)
                placed = await future
                return Position(placed.partition, placed.offset)
            except BROKEN as error:
                await self._replace(producer, error)
            except MessageSizeTooLargeError as error:
                raise AppendError(f"the record is larger than {MAX_RECORD_BYTES} bytes") from error
            except KafkaError as error:
                # With idempotence, these errors mean refused or never sent; both may be retried,
                # and a second copy would be dropped by the fold.
                log.warning("append_retried", topic=topic.name, error=repr(error))
                await asyncio.sleep(RETRY_PAUSE_S)

    async def _replace(self, broken: AIOKafkaProducer, error: Exception) -> None:
        async with self._replacing:
            if self._producer is not broken:
                return  # another append replaced it while this one waited
            log.warning("producer_replaced", error=repr(error))
            while True:
                try:
                    self._producer = await self._new_producer()
                    break
                except (KafkaConnectionError, KafkaTimeoutError) as refused:
                    log.warning("producer_waits_for_kafka", error=repr(refused))
                    await asyncio.sleep(RETRY_PAUSE_S)
            await self._abandon(broken)

    @staticmethod
    async def _abandon(broken: AIOKafkaProducer) -> None:
        """Close a producer whose state is lost, and ignore that it cannot flush."""
        try:
            async with asyncio.timeout(1):
                await broken.stop()
        except (KafkaError, TimeoutError) as error:
            log.info("broken_producer_closed", error=repr(error))

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
        return producer
