"""The projector's composition root: four readers and that of words, one session each, over one set of tables."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial

import structlog

from piperoll.claimed_content import ClaimedContent
from piperoll.installation import tables as installation_tables
from piperoll.installation.guard import Guard
from piperoll.installation.identity import Installation
from piperoll.log.consumer import PartitionConsumer
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.stops import SkippedRecords, Stops
from piperoll.log.topics.watch import TopicWatch
from piperoll.outages import Outage, StoppedWaitingError, raise_faults
from piperoll.runtime import Lifetime
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.read_model_names import READ_SCHEMA
from services.projector.database.schema import create_live_tables
from services.projector.database.session import Session
from services.projector.deliveries.writer import DeliveryWriter
from services.projector.documents.writer import DocumentWriter
from services.projector.endpoints.writer import EndpointWriter
from services.projector.jobs.writer import JobWriter
from services.projector.readers.topic_reader import ProjectorTopicReader, TopicWriter
from services.projector.words.reading import WordReader

log = structlog.get_logger()

JOBS_GROUP = "piperoll.projector"
DELIVERIES_GROUP = "piperoll.projector.deliveries"
DOCUMENTS_GROUP = "piperoll.projector.documents"
ENDPOINTS_GROUP = "piperoll.projector.endpoints"


async def main(settings: Settings, lifetime: Lifetime) -> None:
    """Project until stopped. Raises LogDivergedError and InstallationError."""
    topics = TopicWatch(settings)
    await topics.begin()
    lifetime.check("topics", topics.problem)
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
        guard = Guard(blobs, offsets)
        lifetime.check("installation", guard.problem)
        try:
            installation = await guard.begin(lifetime.stopping)
        except StoppedWaitingError as error:
            log.info("stopped_during_an_outage", why=str(error))
            return
        blob_outage = Outage("the blob store", lifetime.stopping)
        lifetime.check("blobs", blob_outage.problem)
        dead_letters, skipped = DeadLetters(appender), SkippedRecords(blobs)
        groups: list[tuple[str, TopicWriter]] = [
            (JOBS_GROUP, JobWriter(blobs, blob_outage, settings.partitions)),
            (DELIVERIES_GROUP, DeliveryWriter()),
            (DOCUMENTS_GROUP, DocumentWriter(blobs, blob_outage)),
            (ENDPOINTS_GROUP, EndpointWriter(blobs, blob_outage)),
        ]
        try:
            async with asyncio.TaskGroup() as tasks:
                connect = partial(_session, settings, lifetime, stack, installation)
                readers = await _readers(settings, lifetime, offsets, dead_letters, skipped, groups, connect)
                words = WordReader(
                    ClaimedContent(blobs, blob_outage), await connect("words"), lambda: readers["jobs"][0].partitions
                )
                for alias, (_, consumer) in readers.items():
                    tasks.create_task(
                        lifetime.background.loop(f"the reader of {alias}", consumer.run(lifetime.stopping))
                    )
                for name, work in (
                    ("the reader of words", words.run(lifetime.stopping)),
                    ("the producer's watch", appender.watch(lifetime.stopping)),
                    ("the comparison of the stores", guard.run(lifetime.stopping)),
                    ("the watch of the topics", topics.run(lifetime.stopping)),
                ):
                    tasks.create_task(lifetime.background.loop(name, work))
        except ExceptionGroup as ended:
            raise_faults(ended)


async def _readers(
    settings: Settings,
    lifetime: Lifetime,
    offsets: KafkaOffsets,
    dead_letters: DeadLetters,
    skipped: SkippedRecords,
    groups: Sequence[tuple[str, TopicWriter]],
    connect: Callable[[str], Awaitable[Session]],
) -> dict[str, tuple[ProjectorTopicReader, PartitionConsumer]]:
    """The reader of each topic with its consumer, by the topic's short name."""
    readers = {}
    for group, writer in groups:
        reader = ProjectorTopicReader(writer, await connect(writer.alias), offsets, dead_letters)
        stops = Stops(group, skipped, dead_letters)
        consumer = PartitionConsumer(
            settings, group, writer.topic, reader, reader.lag.moved, reader.confirm, stops=stops
        )
        lifetime.check(f"group_{writer.alias}", consumer.problem)
        lifetime.check(f"lag_{writer.alias}", reader.lag.problem)
        readers[writer.alias] = (reader, consumer)
    return readers


async def _session(
    settings: Settings, lifetime: Lifetime, stack: AsyncExitStack, installation: Installation, alias: str
) -> Session:
    """A session over tables of this release."""
    required = installation_tables.requirement(READ_SCHEMA, lambda: installation)
    dsn = settings.postgres_dsn.get_secret_value()
    session = Session(dsn, lifetime.stopping, f"piperoll projector {settings.instance}", required)
    stack.push_async_callback(session.close)
    lifetime.check(f"postgres_{alias}", session.problem)
    await session.transaction(partial(create_live_tables, installation=installation))
    return session
