"""The projector's composition root: four readers, one session each, over one set of tables."""

import asyncio
from contextlib import AsyncExitStack

import structlog

from piperoll.log.admin import require_topics
from piperoll.log.consumer import PartitionConsumer
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.stops import SkippedRecords, Stops
from piperoll.outages import Outage, StoppedWaitingError
from piperoll.runtime import Lifetime
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from services.projector.deliveries.tables import DeliveryTables
from services.projector.documents.tables import DocumentTables
from services.projector.endpoints.tables import EndpointTables
from services.projector.jobs.tables import JobTables
from services.projector.readers.topic_reader import TableReader, Tables
from services.projector.tables.schema import migrate_live
from services.projector.tables.session import Session

log = structlog.get_logger()

JOBS_GROUP = "piperoll.projector"
DELIVERIES_GROUP = "piperoll.projector.deliveries"
DOCUMENTS_GROUP = "piperoll.projector.documents"
ENDPOINTS_GROUP = "piperoll.projector.endpoints"


async def main(settings: Settings, lifetime: Lifetime) -> None:
    """Project until stopped. Raises LogDivergedError."""
    await require_topics(settings)
    async with AsyncExitStack() as stack:
        offsets = KafkaOffsets(settings)
        await offsets.start()
        stack.push_async_callback(offsets.stop)
        appender = KafkaAppender(settings, f"{settings.instance}-dead-letters")
        await appender.start()
        stack.push_async_callback(appender.stop)
        blobs = AsyncBlobs(Blobs(settings.blob_url))
        stack.callback(blobs.close)
        blob_outage = Outage("the blob store", lifetime.stopping)
        lifetime.check("blobs", blob_outage.problem)
        dead_letters, skipped = DeadLetters(appender), SkippedRecords(blobs)
        groups: list[tuple[str, Tables]] = [
            (JOBS_GROUP, JobTables(blobs, blob_outage, settings.partitions)),
            (DELIVERIES_GROUP, DeliveryTables()),
            (DOCUMENTS_GROUP, DocumentTables(blobs, blob_outage)),
            (ENDPOINTS_GROUP, EndpointTables(blobs, blob_outage)),
        ]
        try:
            await _project(settings, lifetime, offsets, dead_letters, skipped, groups, stack)
        except ExceptionGroup as ended:
            _explain(ended)


def _explain(ended: ExceptionGroup[Exception]) -> None:
    """Raise the first fault by itself, so that the operator reads its message."""
    for error in ended.exceptions:
        if isinstance(error, StoppedWaitingError):
            log.info("stopped_during_an_outage", why=str(error))
        else:
            raise error


async def _project(
    settings: Settings,
    lifetime: Lifetime,
    offsets: KafkaOffsets,
    dead_letters: DeadLetters,
    skipped: SkippedRecords,
    groups: list[tuple[str, Tables]],
    stack: AsyncExitStack,
) -> None:
    dsn = settings.postgres_dsn.get_secret_value()
    async with asyncio.TaskGroup() as tasks:
        consumers = []
        for group, tables in groups:
            session = Session(dsn, lifetime.stopping)
            stack.push_async_callback(session.close)
            lifetime.check(f"postgres_{tables.alias}", session.problem)
            await session.transaction(migrate_live)
            reader = TableReader(tables, session, offsets, dead_letters)
            stops = Stops(group, skipped, dead_letters)
            consumer = PartitionConsumer(settings, group, tables.topic, reader, reader.lag.moved, stops)
            lifetime.check(f"group_{tables.alias}", consumer.problem)
            lifetime.check(f"lag_{tables.alias}", reader.lag.problem)
            consumers.append(consumer)
        for consumer in consumers:
            tasks.create_task(consumer.run(lifetime.stopping))
