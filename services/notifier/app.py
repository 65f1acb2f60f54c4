"""The notifier's composition root: its clients of log, blob store and Postgres, its consumers, and their checks."""

from contextlib import AsyncExitStack
from typing import Any

import structlog

from piperoll import keys
from piperoll.installation import tables
from piperoll.installation.guard import Guard
from piperoll.log.broker_clock import BrokerClock
from piperoll.log.consumer import PartitionConsumer
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.stops import SkippedRecords, Stops
from piperoll.log.topics.watch import TopicWatch
from piperoll.outages import StoppedWaitingError, raise_faults
from piperoll.postgres import connect_pool, each, migrate, server_time
from piperoll.runtime import Lifetime
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.topics import ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS, Topic
from services.notifier import metrics
from services.notifier.assembly import Log, assemble
from services.notifier.readers.server import PostgresServer
from services.notifier.readers.topic_reader import NotifierTopicReader

log = structlog.get_logger()

SCHEMA = "notifier"
POOL_SIZE = 11  # the relay and the announced keys keep one each; readers, claims, outcomes, sweep and keys take one


async def main(settings: Settings, lifetime: Lifetime) -> None:
    """Connect, assemble and run until stopped. Raises InstallationError and LogDivergedError."""
    topics = TopicWatch(settings)
    await topics.begin()
    lifetime.check("topics", topics.problem)
    async with AsyncExitStack() as owned:
        view = KafkaOffsets(settings)
        await view.start()
        owned.push_async_callback(view.stop)
        blobs = AsyncBlobs(Blobs(settings.blob_url))
        owned.callback(blobs.close)
        guard = Guard(blobs, view)
        lifetime.check("installation", guard.problem)
        try:
            installation = await guard.begin(lifetime.stopping)
        except StoppedWaitingError as error:
            log.info("stopped_during_an_outage", why=str(error))
            return
        server, require = PostgresServer(), tables.requirement(SCHEMA, lambda: installation)
        pool = await connect_pool(
            settings.postgres_dsn.get_secret_value(), max_size=POOL_SIZE, on_connect=each(require, server.meet)
        )
        owned.push_async_callback(pool.close)
        await migrate(pool, "services.notifier", "notifier.sql")
        async with pool.acquire() as connection:
            await tables.claim(connection, SCHEMA, installation)
        await keys.prepare(pool)
        appender = KafkaAppender(settings, f"{settings.instance}-notifier")
        await appender.start()
        owned.push_async_callback(appender.stop)
        letters, skipped = DeadLetters(appender), SkippedRecords(blobs)
        clients = Log(view, appender, letters, installation.cluster_id, appender.clock)
        appender.clock.follow(await server_time(pool))  # until the first append
        notifier = assemble(settings, pool, clients, lifetime.background, lifetime.stopping, owned, blobs, server)
        lifetime.check("producer", appender.problem)
        lifetime.check("clock", appender.clock.problem)
        lifetime.check("postgres", notifier.outage.problem)
        lifetime.check("gate", notifier.gate.problem)
        lifetime.check("dispatcher", notifier.hooks.dispatcher.problem)
        lifetime.check("notices", notifier.notices.dispatcher.problem)
        readers: tuple[tuple[Topic, NotifierTopicReader[Any]], ...] = (
            (JOB_EVENTS, notifier.job_events),
            (JOB_DELIVERIES, notifier.deliveries),
            (ENDPOINT_EVENTS, notifier.endpoint_events),
        )
        lasting = {}
        for topic, reader in readers:
            stops = Stops(reader.group, skipped, letters)
            consumer = _consumer(settings, lifetime, topic, reader, appender.clock, stops)
            lasting[f"the reader of {topic.name}"] = consumer.run(lifetime.stopping)
        lasting["the producer's watch"] = appender.watch(lifetime.stopping)
        lasting["the comparison of the stores"] = guard.run(lifetime.stopping)
        lasting["the watch of the topics"] = topics.run(lifetime.stopping)
        try:
            await notifier.run(lasting, lifetime.stopping)
        except ExceptionGroup as ended:
            raise_faults(ended)


def _consumer(
    settings: Settings,
    lifetime: Lifetime,
    topic: Topic,
    reader: NotifierTopicReader[Any],
    clock: BrokerClock,
    stops: Stops,
) -> PartitionConsumer:
    """A consumer with its readiness check and lag metric."""

    def on_lag(partition: int, records: int) -> None:
        metrics.LAG.labels(topic.name, str(partition)).set(records)

    consumer = PartitionConsumer(settings, reader.group, topic, reader, on_lag, reader.confirm, clock, stops)
    lifetime.check(reader.group, consumer.problem)
    lifetime.check(f"{reader.group}.stores", reader.outage.problem)
    return consumer
