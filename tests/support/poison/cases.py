"""Every reader of every topic, each over a log in memory, with what it made of the records."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import asyncpg

from piperoll.log.contract import Reader
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.record import Record
from piperoll.outages import Outage
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.events import EndpointRegistered, Event, WebhookDelivered
from schemas.read_model_names import READ_SCHEMA
from schemas.topics import DEAD_LETTERS, DOCUMENT_EVENTS, ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS, MANIFEST, Topic
from services.projector.database.schema import create_tables
from services.projector.database.session import Session
from services.projector.deliveries.writer import DeliveryWriter
from services.projector.documents.writer import DocumentWriter
from services.projector.endpoints.writer import EndpointWriter
from services.projector.jobs.writer import JobWriter
from services.projector.readers.topic_reader import ProjectorTopicReader, TopicWriter
from tests.support.histories.documents import added
from tests.support.histories.jobs import created
from tests.support.memory_log import MemoryLog
from tests.support.stacks.notifying import SECRET, Rig, running

BAD, GOOD = "poisoned", "healthy"
READERS = ("projector", "notifier")
GROUPS = [(group, topic) for topic in MANIFEST for group in topic.groups if group.split(".")[1] in READERS]
"""Those that make rows; what the worker's readers make is tested on its own."""
DELIVERED = WebhookDelivered(delivery_id="dlv", phase="completed", attempt=1, status=200, duration_ms=1)


@dataclass
class Case:
    """A group's reader of a topic over a log in memory, and the ids in the rows that it has made.

    `event` makes an event that leads to a row of this key.
    """

    log: MemoryLog
    topic: Topic
    reader: Reader
    event: Callable[[str], Event]
    ids: Callable[[], Awaitable[set[str]]]
    rig: Rig | None = None

    async def read(self) -> None:
        """Hands over what is new, and takes the partitions away and gives them back, as a restart does."""
        await self.log.deliver()
        await self.log.unsubscribe(self.topic, self.reader)
        await self.log.subscribe(self.topic, self.reader)


@asynccontextmanager
async def notifier_case(topic: Topic, settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Case]:
    async with running(settings) as rig:
        reader, event, table = {
            JOB_EVENTS: (
                rig.notifier.job_events,
                lambda key: rig.created(key, "http://127.0.0.1:9/hook"),
                "queue.job_id",
            ),
            JOB_DELIVERIES: (rig.notifier.deliveries, lambda key: DELIVERED, "queue.job_id"),
            ENDPOINT_EVENTS: (rig.notifier.endpoint_events, lambda key: registered(rig, key), "endpoints.endpoint_id"),
        }[topic]
        yield Case(rig.log, topic, reader, event, lambda: ids_in(pool, "notifier", table), rig)


def registered(rig: Rig, endpoint_id: str) -> EndpointRegistered:
    settings = {"url": "http://127.0.0.1:9/hook", "secret": rig.seal.seal(SECRET), "token": None}
    return EndpointRegistered(settings=rig.put(f"endpoints/{endpoint_id}", settings))


@asynccontextmanager
async def projector_case(topic: Topic, settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Case]:
    log, stopping = MemoryLog(), asyncio.Event()
    async with pool.acquire() as connection:
        await create_tables(connection, READ_SCHEMA)
    tables = ("checkpoints", "parked", "jobs", "events", "deliveries", "documents", "endpoints")
    await pool.execute("TRUNCATE " + ", ".join(f"{READ_SCHEMA}.{name}" for name in tables))
    session = Session(settings.postgres_dsn.get_secret_value(), stopping)
    blobs = AsyncBlobs(Blobs("memory:///"))
    outage = Outage("the blob store", stopping)
    claim = await blobs.put("endpoints", b'{"url": "http://127.0.0.1:9/hook", "secret": ""}')
    choices: dict[Topic, tuple[TopicWriter, Event, str]] = {
        JOB_EVENTS: (JobWriter(blobs, outage, log.partitions), created(), "jobs.job_id"),
        JOB_DELIVERIES: (DeliveryWriter(), DELIVERED, "deliveries.job_id"),
        DOCUMENT_EVENTS: (DocumentWriter(blobs, outage), added(), "documents.document_id"),
        ENDPOINT_EVENTS: (
            EndpointWriter(blobs, outage),
            EndpointRegistered(settings=claim),
            "endpoints.endpoint_id",
        ),
    }
    chosen, event, column = choices[topic]
    reader = ProjectorTopicReader(chosen, session, log, DeadLetters(log))
    await log.subscribe(topic, reader)
    try:
        yield Case(log, topic, reader, lambda key: event, lambda: ids_in(pool, READ_SCHEMA, column))
    finally:
        await session.close()
        blobs.close()


CASES: dict[str, Callable[[Topic, Settings, asyncpg.Pool], AbstractAsyncContextManager[Case]]] = {
    "projector": projector_case,
    "notifier": notifier_case,
}


async def ids_in(pool: asyncpg.Pool, schema: str, column: str) -> set[str]:
    table, name = column.split(".")
    return {row[name] for row in await pool.fetch(f"SELECT {name} FROM {schema}.{table}")}


async def letters_in(log: MemoryLog) -> list[Record]:
    ends = await log.end_offsets(DEAD_LETTERS)
    return await log.read_range(DEAD_LETTERS, dict.fromkeys(ends, 0), ends)


def reasons(letters: list[Record]) -> list[tuple[bytes | None, str]]:
    """Key and reason of each dead letter."""
    return [(one.key, (dict(one.headers)["piperoll_reason"] or b"").decode()) for one in letters]
