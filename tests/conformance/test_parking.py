"""Every reader of every topic parks a poison record and what follows it under its key; other keys go on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from piperoll.domain.job import Status
from piperoll.log.contract import Reader
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.record import Record
from piperoll.outages import Outage
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from piperoll.store.document_paths import REMOVED
from schemas.events import DocumentRemoved, EndpointRegistered, Event, WebhookDelivered
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
from tests.support.histories.jobs import created, fact
from tests.support.memory_log import MemoryLog
from tests.support.runs.removing import Removing
from tests.support.simulation.clients import create, simulate
from tests.support.simulation.world import World
from tests.support.stacks.notifying import SECRET, Rig, running

POISON = b"no event"
BAD, GOOD = "poisoned", "healthy"
WORKER = "piperoll.worker"
GROUPS = [(group, topic) for topic in MANIFEST for group in topic.groups if group != WORKER]
DELIVERED = WebhookDelivered(delivery_id="dlv", phase="completed", attempt=1, status=200, duration_ms=1)


@dataclass
class Case:
    """A group's reader of a topic over a log in memory, and the ids in the rows that it has made."""

    log: MemoryLog
    topic: Topic
    reader: Reader
    event: Callable[[str], Event]
    ids: Callable[[], Awaitable[set[str]]]

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
        yield Case(rig.log, topic, reader, event, lambda: ids_in(pool, "notifier", table))


def registered(rig: Rig, endpoint_id: str) -> EndpointRegistered:
    settings = {"url": "http://127.0.0.1:9/hook", "secret": rig.seal.seal(SECRET), "token": None}
    return EndpointRegistered(settings=rig.put(f"endpoints/{endpoint_id}", settings))


@asynccontextmanager
async def projector_case(topic: Topic, settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Case]:
    log, stopping = MemoryLog(), asyncio.Event()
    async with pool.acquire() as connection:
        await create_tables(connection, READ_SCHEMA)
    await pool.execute("TRUNCATE read_v1.checkpoints, read_v1.parked")
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
    writer, event, column = choices[topic]
    reader = ProjectorTopicReader(writer, session, log, DeadLetters(log))
    await log.subscribe(topic, reader)
    yield Case(log, topic, reader, lambda key: event, lambda: ids_in(pool, READ_SCHEMA, column))
    await session.close()
    blobs.close()


@asynccontextmanager
async def worker_case(topic: Topic, settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Case]:
    """The process manager of removal; its rows are the markers of what it removed."""
    log, blobs = MemoryLog(), AsyncBlobs(Blobs("memory:///"))
    removing = Removing(log, blobs)

    async def ids() -> set[str]:
        await removing.settled()
        return {uri.split("/")[1] for uri in await blobs.names(REMOVED)}

    await removing.start()
    yield Case(log, topic, removing.reader, lambda key: DocumentRemoved(by="acme"), ids)
    await removing.stop()
    blobs.close()


CASES: dict[str, Callable[[Topic, Settings, asyncpg.Pool], AbstractAsyncContextManager[Case]]] = {
    "projector": projector_case,
    "notifier": notifier_case,
    "worker": worker_case,
}


async def ids_in(pool: asyncpg.Pool, schema: str, column: str) -> set[str]:
    table, name = column.split(".")
    return {row[name] for row in await pool.fetch(f"SELECT {name} FROM {schema}.{table}")}


async def letters_in(log: MemoryLog) -> list[Record]:
    ends = await log.end_offsets(DEAD_LETTERS)
    return await log.read_range(DEAD_LETTERS, dict.fromkeys(ends, 0), ends)


def parked(letters: list[Record]) -> list[tuple[bytes | None, bytes | None]]:
    """Key and reason of each dead letter."""
    return [(one.key, dict(one.headers)["piperoll_reason"]) for one in letters]


EXPECTED = [
    (BAD.encode(), b"the header ce_id is missing"),
    (BAD.encode(), b"an earlier record of the same key could not be decoded"),
    (BAD.encode(), b"an earlier record of the same key could not be decoded"),
]


@pytest.mark.parametrize(("group", "topic"), GROUPS, ids=[group for group, _ in GROUPS])
async def test_a_poison_record_and_what_follows_under_its_key_are_parked(
    group: str, topic: Topic, settings: Settings, pool: asyncpg.Pool
) -> None:
    async with CASES[group.split(".")[1]](topic, settings, pool) as case:
        await case.log.append_raw(topic, BAD.encode(), POISON, [])
        await case.log.append(topic, fact(BAD, case.event(BAD), 1))
        await case.read()
        await case.log.append(topic, fact(BAD, case.event(BAD), 2))
        await case.log.append(topic, fact(GOOD, case.event(GOOD), 3))
        await case.read()
        letters = await letters_in(case.log)
        assert parked(letters) == EXPECTED
        assert letters[0].value == POISON
        assert await case.ids() == {GOOD}


def test_the_worker_parks_a_poison_record_and_what_follows_under_its_key() -> None:
    letters: list[Record] = []

    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        await world.land(BAD.encode(), POISON, [])
        await create(world, BAD)
        await asyncio.sleep(20)
        await worker.drain()
        world.start_worker("worker-2")
        await create(world, BAD)
        await create(world, GOOD)
        await asyncio.sleep(20)
        letters.extend(await letters_in(world.log))

    world = simulate(story)
    assert parked(letters) == EXPECTED
    assert letters[0].value == POISON
    assert world.history.jobs[GOOD].status is Status.COMPLETED
    assert world.stage.runs_of(BAD) == []
