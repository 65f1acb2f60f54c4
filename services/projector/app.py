"""The projector's composition root: four readers, one session each, over one set of tables."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack

import structlog

from piperoll.log.admin import require_topics
from piperoll.log.consumer import PartitionConsumer
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
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
    """Project until stopped. Raises LogDivergedError and UnknownEventError."""
    await require_topics(settings)
    async with AsyncExitStack() as stack:
        offsets = KafkaOffsets(settings)
        await offsets.start()
        stack.push_async_callback(offsets.stop)
        appender = KafkaAppender(settings, f"{settings.instance}-dead-letters")
        lifetime.check("clock", appender.clock.problem)
        await appender.start()
        stack.push_async_callback(appender.stop)
        blobs = AsyncBlobs(Blobs(settings.blob_url))
        stack.callback(blobs.close)
        blob_outage = Outage("the blob store", lifetime.stopping)
        lifetime.check("blobs", blob_outage.problem)
        dead_letters = DeadLetters(appender)
        groups: list[tuple[str, Tables]] = [
            (JOBS_GROUP, JobTables(blobs, blob_outage, settings.partitions)),
            (DELIVERIES_GROUP, DeliveryTables()),
            (DOCUMENTS_GROUP, DocumentTables(blobs, blob_outage)),
            (ENDPOINTS_GROUP, EndpointTables(blobs, blob_outage)),
        ]
        try:
            async with asyncio.TaskGroup() as tasks:
                for name, work in await _readers(settings, lifetime, offsets, dead_letters, groups, stack):
                    tasks.create_task(lifetime.background.loop(name, work))
                watch = appender.watch(lifetime.stopping)
                tasks.create_task(lifetime.background.loop("the producer's watch", watch))
        except ExceptionGroup as ended:
            _explain(ended)


def _explain(ended: ExceptionGroup[Exception]) -> None:
    """Raise the first fault by itself, so that the operator reads its message."""
    for error in ended.exceptions:
        if isinstance(error, StoppedWaitingError):
            log.info("stopped_during_an_outage", why=str(error))
        else:
            raise error


async def _readers(
    settings: Settings,
    lifetime: Lifetime,
    offsets: KafkaOffsets,
    dead_letters: DeadLetters,
    groups: list[tuple[str, Tables]],
    stack: AsyncExitStack,
) -> list[tuple[str, Coroutine[None, None, None]]]:
    """The reader of each topic, by name, over tables of this release."""
    dsn = settings.postgres_dsn.get_secret_value()
    readers = []
    for group, tables in groups:
        session = Session(dsn, lifetime.stopping, f"piperoll projector {settings.instance}")
        stack.push_async_callback(session.close)
        lifetime.check(f"postgres_{tables.alias}", session.problem)
        await session.transaction(migrate_live)
        reader = TableReader(tables, session, offsets, dead_letters)
        consumer = PartitionConsumer(settings, group, tables.topic, reader, on_lag=reader.lag.moved)
        lifetime.check(f"group_{tables.alias}", consumer.problem)
        lifetime.check(f"lag_{tables.alias}", reader.lag.problem)
        readers.append((f"the reader of {tables.alias}", consumer))
    return [(name, consumer.run(lifetime.stopping)) for name, consumer in readers]
