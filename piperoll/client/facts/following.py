"""Follows the facts in Kafka with aiokafka, which the extra `kafka` brings."""

from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, Self

from piperoll.client.errors import PiperollError, UnreachableError
from piperoll.client.facts.counting import CountedFacts
from piperoll.client.facts.decoding import FollowedFact, UndecodableFactError, decoded

JOB_EVENTS = "piperoll.jobs.events.v1"
POLL_MS = 1000
MOST_RECORDS = 500


@dataclass(frozen=True, slots=True)
class SkippedFact:
    """A record that was passed over, and why: undecodable, of an unknown type, repeated or superseded."""

    reason: Literal["undecodable", "unknown", "superseded"]
    place: tuple[str, int, int]
    fact: FollowedFact | None = None


class FactFollower:
    """Iterates over the facts in Kafka: those that count, in the order of each job.

        async with follow("127.0.0.1:9092", group_id="billing") as facts:
            async for fact in facts:
                ...

    With a `group_id` the place is kept in Kafka: it is committed when all facts of a poll were taken and the next one
    is asked for, so that a fact may come twice and none is lost. Without one reading begins at `since`. `names` leaves
    only facts such as `{"JobCompleted"}`. `skipped` is called with each record that is passed over. Further options go
    to AIOKafkaConsumer, such as `security_protocol` and `ssl_context`.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        topics: Collection[str] = (JOB_EVENTS,),
        group_id: str | None = None,
        since: Literal["earliest", "latest"] = "earliest",
        names: Collection[str] | None = None,
        skipped: Callable[[SkippedFact], None] = lambda _: None,
        **kafka: Any,
    ) -> None:
        self._topics = tuple(topics)
        self._options = {
            "bootstrap_servers": bootstrap,
            "group_id": group_id,
            "auto_offset_reset": since,
            "enable_auto_commit": False,
            **kafka,
        }
        self._names = None if names is None else frozenset(names)
        self._skipped = skipped
        self._counted = CountedFacts()
        self._consumer: Any = None

    async def __aenter__(self) -> Self:
        try:
            from aiokafka import AIOKafkaConsumer
            from aiokafka.errors import KafkaConnectionError
        except ImportError as error:
            raise PiperollError("following facts needs aiokafka: install piperoll-client[kafka]") from error
        consumer = AIOKafkaConsumer(*self._topics, **self._options)
        try:
            await consumer.start()
        except KafkaConnectionError as error:
            await consumer.stop()
            raise UnreachableError(f"Kafka does not answer at {self._options['bootstrap_servers']}") from error
        self._consumer = consumer
        return self

    async def __aexit__(self, *_: object) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def __aiter__(self) -> AsyncIterator[FollowedFact]:
        """Yield the facts, for ever."""
        while self._consumer is not None:
            polled = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_RECORDS)
            for records in polled.values():
                for record in records:
                    if (fact := self._taken(record)) is not None:
                        yield fact
            if polled and self._consumer is not None and self._options["group_id"] is not None:
                await self._consumer.commit()

    def _taken(self, record: Any) -> FollowedFact | None:
        """Return the fact of a record if it counts and was asked for."""
        place = (record.topic, record.partition, record.offset)
        try:
            fact = decoded(record.headers, record.value, place)
        except UndecodableFactError:
            self._skipped(SkippedFact("undecodable", place))
            return None
        if not fact.known:
            self._skipped(SkippedFact("unknown", place, fact))
            return None
        if not self._counted.counts(fact):
            self._skipped(SkippedFact("superseded", place, fact))
            return None
        return fact if self._names is None or fact.name in self._names else None


follow = FactFollower
"""The name that programs use: `async with follow("127.0.0.1:9092") as facts`."""
