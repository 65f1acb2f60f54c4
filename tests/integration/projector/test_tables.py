"""The projector's statements on a real Postgres: whatever the order of polls and partitions, the same tables."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from piperoll.log.admin import create_topics
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.record import Record
from piperoll.outages import Outage
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.claims import Claim
from schemas.envelope import Fact, UnknownEventError
from schemas.events import BatchCreated, WebhookDelivered
from schemas.ids import draw_batch_id, member_id
from schemas.topics import DEAD_LETTERS, JOB_DELIVERIES
from services.projector.deliveries.tables import DeliveryTables
from services.projector.jobs.tables import JobTables
from services.projector.readers.checkpoints import PositionLostError
from services.projector.readers.topic_reader import TableReader
from services.projector.tables.schema import create_tables
from services.projector.tables.session import Session
from tests.support.histories.jobs import (
    OWNER,
    claim,
    created,
    fact,
    from_the_future,
    garbage,
    histories,
    laid_out,
    life,
    record,
)
from tests.support.waiting import PATIENCE_S, wait_until

PARTITIONS = 3


@dataclass
class Projecting:
    """A projector over a separate schema: what it reads, and what its tables hold."""

    settings: Settings
    pool: asyncpg.Pool
    schema: str
    jobs: TableReader
    deliveries: TableReader
    blobs: AsyncBlobs

    async def rows(self, table: str, order: str) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.pool.fetch(f"SELECT * FROM {self.schema}.{table} ORDER BY {order}")]

    async def tables(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "jobs": await self.rows("jobs", "job_id"),
            "events": await self.rows("events", "job_id, sequence"),
            "batches": await self.rows("batches", "batch_id"),
            "parked": await self.rows("parked", "job_id"),
        }

    async def job(self, job_id: str) -> dict[str, Any]:
        row = await self.pool.fetchrow(f"SELECT * FROM {self.schema}.jobs WHERE job_id = $1", job_id)
        assert row is not None
        return dict(row)

    async def batch_created(self, count: int) -> Fact:
        batch_id = draw_batch_id()
        specs = [{"job_type": "pdf", "user_id": f"user-{number}", "parameters": {}} for number in range(count)]
        where: Claim = await self.blobs.put(f"{batch_id}/in", json.dumps(specs).encode())
        return fact(batch_id, BatchCreated(count=count, specs=where, body_sha256="0" * 64))


class Projectors:
    """Makes projectors, each with separate tables."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, offsets: KafkaOffsets, appender: KafkaAppender) -> None:
        self._settings = settings.model_copy(update={"partitions": PARTITIONS})
        self._pool = pool
        self._offsets = offsets
        self._dead_letters = DeadLetters(appender)
        self._blobs = AsyncBlobs(Blobs(settings.blob_url))
        self._sessions: list[Session] = []

    async def make(self, schema: str | None = None) -> Projecting:
        schema = schema or f"s_{uuid4().hex[:12]}"
        async with self._pool.acquire() as connection:
            await create_tables(connection, schema)
        stopping = asyncio.Event()
        session = Session(self._settings.postgres_dsn.get_secret_value(), stopping)
        self._sessions.append(session)
        jobs = JobTables(self._blobs, Outage("the blob store", stopping), PARTITIONS, schema)
        readers = [
            TableReader(each, session, self._offsets, self._dead_letters, schema)
            for each in (jobs, DeliveryTables(schema))
        ]
        for reader in readers:
            await reader.assigned(set(range(PARTITIONS)))
            await reader.revoked(set(range(PARTITIONS)))  # these polls are handed over by the test, from offset 0
        await self._pool.execute(f"UPDATE {schema}.checkpoints SET next_offset = 0")
        return Projecting(self._settings, self._pool, schema, readers[0], readers[1], self._blobs)

    async def close(self) -> None:
        for session in self._sessions:
            await session.close()
        await asyncio.to_thread(self._blobs.close)


@pytest.fixture(scope="module")
async def projectors(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Projectors]:
    await create_topics(settings)
    offsets = KafkaOffsets(settings)
    appender = KafkaAppender(settings, "tests")
    await offsets.start()
    await appender.start()
    made = Projectors(settings, pool, offsets, appender)
    yield made
    await made.close()
    await appender.stop()
    await offsets.stop()


@pytest.fixture
async def projecting(projectors: Projectors) -> Projecting:
    return await projectors.make()


def polls(records: Sequence[Record], cuts: Sequence[int]) -> list[Sequence[Record]]:
    edges = [0, *cuts, len(records)]
    return [records[begin:end] for begin, end in pairwise(edges) if begin < end]


@hypothesis_settings(max_examples=15)  # each fills two schemas
@given(histories(), st.lists(st.integers(0, 20), max_size=3).map(sorted), st.integers(0, 2**32))
async def test_partitions_may_be_read_in_any_order_and_any_polls(
    projectors: Projectors, facts: list[Fact], cuts: list[int], seed: int
) -> None:
    log = laid_out(facts, PARTITIONS)
    plain, shuffled = await projectors.make(), await projectors.make()
    for partition, records in log.items():
        for one in records:
            await plain.jobs.handle(partition, [one])
    waiting = [(partition, polls(records, cuts)) for partition, records in log.items()]
    order = random.Random(seed)
    while waiting := [(partition, left) for partition, left in waiting if left]:
        partition, left = order.choice(waiting)
        await shuffled.jobs.handle(partition, left.pop(0))
    assert await shuffled.tables() == await plain.tables()


async def test_a_poll_handed_over_again_changes_nothing(projecting: Projecting) -> None:
    records = [record(fact("job-a", data, second), 0, second) for second, data in enumerate(life())]
    await projecting.jobs.handle(0, records)
    before = await projecting.tables()
    await projecting.jobs.revoked({0})
    await projecting.jobs.handle(0, records)
    await projecting.jobs.handle(0, [*records[2:], record(fact("job-a", created(), 9), 0, 4)])
    assert await projecting.tables() == before


async def test_a_batch_and_each_of_its_members_are_there_before_any_worker_saw_them(projecting: Projecting) -> None:
    whole = await projecting.batch_created(count=500)
    await projecting.jobs.handle(0, [record(whole, 0, 0)])
    (batch,) = await projecting.rows("batches", "batch_id")
    assert (batch["batch_id"], batch["count"], batch["owner"]) == (whole.subject, 500, OWNER)
    members = await projecting.rows("jobs", "batch_index")
    assert [row["job_id"] for row in members] == [member_id(whole.subject, index) for index in range(500)]
    assert {(row["status"], row["sequence"], row["created"], row["job_type"]) for row in members} == {
        ("pending", 0, False, "pdf")
    }
    assert members[7]["user_id"] == "user-7"


async def test_a_member_keeps_its_place_when_it_is_created(projecting: Projecting) -> None:
    whole = await projecting.batch_created(count=2)
    job_id = member_id(whole.subject, 1)
    await projecting.jobs.handle(0, [record(whole, 0, 0)])
    await projecting.jobs.handle(1, [record(fact(job_id, created(whole.subject), 1), 1, 0)])
    row = await projecting.job(job_id)
    assert (row["batch_id"], row["batch_index"], row["sequence"], row["created"]) == (whole.subject, 1, 1, True)


async def test_members_of_erased_specs_are_there_without_details(projecting: Projecting) -> None:
    whole = fact("batch-erased", BatchCreated(count=1, specs=claim("gone/in/x"), body_sha256="0" * 64))
    await projecting.jobs.handle(0, [record(whole, 0, 0)])
    row = await projecting.job(member_id("batch-erased", 0))
    assert (row["status"], row["job_type"]) == ("pending", "")


async def test_projectors_that_announce_into_each_others_partitions_do_not_block_each_other(
    projectors: Projectors,
) -> None:
    first = await projectors.make()
    others = [first, *[await projectors.make(first.schema) for _ in range(PARTITIONS - 1)]]
    batches = [await first.batch_created(count=300) for _ in range(6)]
    members = [fact(member_id(one.subject, index), created(one.subject), 1) for one in batches for index in range(300)]
    log = laid_out([fact for pair in zip(batches, batches, strict=True) for fact in pair] + members, PARTITIONS)

    async def run(partition: int, projecting: Projecting) -> None:
        for poll in polls(log[partition], range(50, len(log[partition]), 50)):
            await projecting.jobs.handle(partition, poll)

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(run(partition, each) for partition, each in enumerate(others)))
    found = await first.rows("jobs", "job_id")
    assert len(found) == 1800
    assert all(row["created"] and row["batch_index"] is not None for row in found)


async def test_an_undecodable_record_goes_to_the_dead_letters_and_its_job_stands_still(
    projectors: Projectors, projecting: Projecting, settings: Settings
) -> None:
    job_id = f"job-{uuid4()}"
    offsets = KafkaOffsets(settings)
    await offsets.start()
    before = await offsets.end_offsets(DEAD_LETTERS)
    events = [fact(job_id, data, second) for second, data in enumerate(life())]
    await projecting.jobs.handle(0, [record(events[0], 0, 0), garbage(job_id, 0, 1), record(events[1], 0, 2)])
    await projecting.jobs.handle(0, [record(events[2], 0, 3), record(fact("job-b", created()), 0, 4)])
    parked = await offsets.read_range(DEAD_LETTERS, before, await offsets.end_offsets(DEAD_LETTERS))
    await offsets.stop()
    mine = [dict(one.headers) for one in parked if one.key == job_id.encode()]
    assert [one["piperoll_position"] for one in mine] == [b"0:1", b"0:2", b"0:3"]
    assert {one["piperoll_consumer"] for one in mine} == {b"projector"}
    assert (await projecting.job(job_id))["status"] == "pending"
    assert (await projecting.job("job-b"))["status"] == "pending"
    assert [row["job_id"] for row in await projecting.rows("parked", "job_id")] == [job_id]


async def test_an_event_of_a_later_release_stops_the_reader_after_what_stands_before_it(
    projecting: Projecting,
) -> None:
    records = [record(fact("job-a", created()), 0, 0), from_the_future("job-b", 0, 1)]
    with pytest.raises(UnknownEventError, match="deploy readers before writers"):
        await projecting.jobs.handle(0, [*records, record(fact("job-c", created()), 0, 2)])
    assert [row["job_id"] for row in await projecting.rows("jobs", "job_id")] == ["job-a"]
    (checkpoint,) = [row for row in await projecting.rows("checkpoints", "topic") if row["next_offset"]]
    assert checkpoint["next_offset"] == 1


@pytest.mark.parametrize("change", ["UPDATE {}.checkpoints SET next_offset = 1", "DELETE FROM {}.checkpoints"])
async def test_a_checkpoint_that_went_back_is_not_passed_over(projecting: Projecting, change: str) -> None:
    records = [record(fact("job-a", data, second), 0, second) for second, data in enumerate(life())]
    await projecting.jobs.handle(0, records[:2])
    await projecting.pool.execute(change.format(projecting.schema))
    with pytest.raises(PositionLostError):
        await projecting.jobs.handle(0, records[2:])


async def test_a_listener_is_notified_of_positions(projecting: Projecting) -> None:
    heard: list[object] = []
    listener = await asyncpg.connect(projecting.settings.postgres_dsn.get_secret_value())
    await listener.add_listener(f"piperoll_{projecting.schema}", lambda *notification: heard.append(notification[-1]))
    await projecting.jobs.handle(2, [record(fact("job-a", created()), 2, 0)])
    await wait_until(lambda: heard, 5, "the notification")
    await listener.close()
    assert heard == ["jobs:2:1"]


async def test_each_delivery_is_a_row(projecting: Projecting) -> None:
    delivered = WebhookDelivered(delivery_id="msg-1", phase="completed", attempt=1, status=200, duration_ms=3)
    records = [record(fact("job-a", delivered, second), 1, second, JOB_DELIVERIES) for second in range(2)]
    await projecting.deliveries.handle(1, records)
    await projecting.deliveries.revoked({1})
    await projecting.deliveries.handle(1, records)
    found = await projecting.rows("deliveries", "log_offset")
    assert [(row["job_id"], row["log_offset"], row["type"]) for row in found] == [
        ("job-a", 0, "piperoll.WebhookDelivered.v1"),
        ("job-a", 1, "piperoll.WebhookDelivered.v1"),
    ]
