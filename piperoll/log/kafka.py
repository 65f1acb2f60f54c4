"""The connection options of all Kafka clients, and a view of a topic without a consumer group."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Iterable
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient

from piperoll.certificates import ssl_context
from piperoll.log.identity import LogIdentity, read_identity
from piperoll.log.record import Record
from piperoll.settings import Settings
from schemas.topics import Topic

POLL_MS = 200  # short: before the end there may be no record to wait for, only a gap in the offsets
SILENCE_S = 10.0  # the records exist; after this time the broker is considered unavailable


CLOSE_S = 3.0
OUTAGE_PAUSE_S = 0.25  # short compared with a broker's restart, long compared with a refused connection


def client_options(settings: Settings) -> dict[str, Any]:
    """The connection settings of producers, consumers and admin clients. Raises CertificateError."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap,
        "security_protocol": settings.kafka_security,
    }
    if "SSL" in settings.kafka_security.split("_"):
        options["ssl_context"] = ssl_context(settings)
    if settings.kafka_security.startswith("SASL"):
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_username
        options["sasl_plain_password"] = settings.kafka_password.get_secret_value()
    return options


def record_of(raw: ConsumerRecord, partitions: int) -> Record:
    """Return the client library's record as a Record of a topic with so many partitions."""
    return Record(
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        timestamp_ms=raw.timestamp,
        key=raw.key,
        value=raw.value,
        headers=list(raw.headers),
        partitions=partitions,
    )


def pace(client: AIOKafkaClient) -> None:
    """Make a started client pause between its tries while no broker answers.

    aiokafka 0.14 requests the cluster's metadata again at once, which uses half a core and floods the log during an
    outage.
    """
    update = client._metadata_update

    async def paced(cluster: Any, topics: Any) -> bool:
        updated = bool(await update(cluster, topics))
        if not updated:
            await asyncio.sleep(OUTAGE_PAUSE_S)
        return updated

    client._metadata_update = paced


async def close(consumer: AIOKafkaConsumer) -> None:
    """Close a consumer, also while the broker is away.

    In that case aiokafka 0.14 waits for the broker's answer, or raises the cancellation of its fetch task
    (Fetcher.close); its connections are then closed by hand.
    """
    task = asyncio.current_task()
    try:
        async with asyncio.timeout(CLOSE_S):
            await consumer.stop()
    except TimeoutError:
        await consumer._client.close()
    except asyncio.CancelledError:
        if task is not None and task.cancelling():
            raise  # that one is of the calling task
        await consumer._client.close()


class KafkaOffsets:
    """A LogView of Kafka (piperoll.log.contract)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer = AIOKafkaConsumer(
            **client_options(settings), enable_auto_commit=False, auto_offset_reset="none"
        )

    async def start(self) -> None:
        """Connect. Raises aiokafka's KafkaConnectionError when no broker answers."""
        try:
            await self._consumer.start()
        except BaseException:
            await close(self._consumer)
            raise
        pace(self._consumer._client)

    async def stop(self) -> None:
        """Close the connections."""
        await close(self._consumer)

    async def end_offsets(self, topic: Topic) -> dict[int, int]:
        """See piperoll.log.contract.Offsets."""
        found = await self._consumer.end_offsets(self._topic_partitions(topic))
        return {tp.partition: offset for tp, offset in found.items()}

    async def begin_offsets(self, topic: Topic) -> dict[int, int]:
        """See piperoll.log.contract.LogView."""
        found = await self._consumer.beginning_offsets(self._topic_partitions(topic))
        return {tp.partition: offset for tp, offset in found.items()}

    async def offsets_at(self, topic: Topic, time: datetime) -> dict[int, int]:
        """See piperoll.log.contract.LogView."""
        ends = await self.end_offsets(topic)
        stamp = max(0, int(time.timestamp() * 1000))  # the client library refuses times before 1970
        asked = dict.fromkeys((TopicPartition(topic.name, part) for part in ends), stamp)
        found = await self._consumer.offsets_for_times(asked)
        return {tp.partition: hit.offset if hit else ends[tp.partition] for tp, hit in found.items()}

    async def read_range(
        self, topic: Topic, begin: dict[int, int], end: dict[int, int], limit: int | None = None
    ) -> list[Record]:
        """See piperoll.log.contract.LogView. Raises TimeoutError when the broker stops answering."""
        records: list[Record] = []
        async with contextlib.aclosing(self.scan(topic, begin, end)) as batches:
            async for batch in batches:
                records.extend(batch)
                if limit is not None and len(records) >= limit:
                    break
        return records

    async def scan(
        self, topic: Topic, begin: dict[int, int], end: dict[int, int]
    ) -> AsyncGenerator[list[Record], None]:
        """See piperoll.log.contract.LogView. Raises TimeoutError when the broker stops answering."""
        open_parts = {part for part, offset in begin.items() if offset < end.get(part, 0)}
        if not open_parts:
            return
        consumer = AIOKafkaConsumer(
            **client_options(self._settings), enable_auto_commit=False, auto_offset_reset="none"
        )
        try:
            await consumer.start()
            consumer.assign([TopicPartition(topic.name, part) for part in open_parts])
            for part in open_parts:
                consumer.seek(TopicPartition(topic.name, part), begin[part])
            heard = time.monotonic()
            while open_parts:
                polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=1000)
                for tp, raw in polled.items():
                    yield [record_of(one, self._settings.partitions) for one in raw if one.offset < end[tp.partition]]
                reached = await self._reached(consumer, topic, open_parts, end)
                if polled or reached:
                    heard = time.monotonic()
                elif time.monotonic() - heard > SILENCE_S:
                    raise TimeoutError(f"{topic.name} did not answer for {SILENCE_S:g} s")
                for part in reached:
                    consumer.pause(TopicPartition(topic.name, part))
                open_parts -= reached
        finally:
            await close(consumer)

    @staticmethod
    async def _reached(consumer: AIOKafkaConsumer, topic: Topic, parts: Iterable[int], end: dict[int, int]) -> set[int]:
        """The partitions read to their end. By position, because offsets have gaps."""
        positions = {part: await consumer.position(TopicPartition(topic.name, part)) for part in parts}
        return {part for part, position in positions.items() if position >= end[part]}

    async def cluster_id(self) -> str:
        """See piperoll.log.contract.LogView."""
        return (await self.identity()).cluster_id

    async def identity(self) -> LogIdentity:
        """See piperoll.log.contract.LogView. Connects each time, to see a change of cluster."""
        admin = AIOKafkaAdminClient(**client_options(self._settings))
        await admin.start()
        try:
            return await read_identity(admin)
        finally:
            await admin.close()

    def _topic_partitions(self, topic: Topic) -> list[TopicPartition]:
        """All partitions: their number is the manifest's, which every service checks at its start."""
        return [TopicPartition(topic.name, part) for part in range(self._settings.partitions)]
