"""Records that stop a reader, and positions that listeners wait for."""

import random
import string
from uuid import uuid4

import asyncpg
import pytest

from piperoll.log.continuity import PositionLostError
from piperoll.log.kafka import KafkaOffsets
from piperoll.settings import Settings
from schemas.envelope import UnknownEventError
from schemas.events import WebhookAbandoned, WebhookDelivered
from schemas.topics import DEAD_LETTERS, JOB_DELIVERIES
from tests.support.histories.jobs import (
    created,
    fact,
    from_the_future,
    garbage,
    life,
    record,
)
from tests.support.projector.tables import Projecting, Projectors
from tests.support.waiting import wait_until


async def test_a_job_ends_although_a_foreign_record_appears_under_its_key(
    projectors: Projectors, projecting: Projecting, settings: Settings
) -> None:
    job_id = f"job-{uuid4()}"
    offsets = KafkaOffsets(settings)
    await offsets.start()
    before = await offsets.end_offsets(DEAD_LETTERS)
    events = [fact(job_id, data, second) for second, data in enumerate(life())]
    await projecting.jobs.handle(0, [record(events[0], 0, 0), garbage(job_id, 0, 1), record(events[1], 0, 2)])
    await projecting.jobs.handle(0, [record(events[0], 0, 3), record(events[3], 0, 4)])
    parked = await offsets.read_range(DEAD_LETTERS, before, await offsets.end_offsets(DEAD_LETTERS))
    await offsets.stop()
    mine = [dict(one.headers) for one in parked if one.key == job_id.encode()]
    assert [one["piperoll_position"] for one in mine] == [b"0:1", b"0:3"]
    assert {one["piperoll_consumer"] for one in mine} == {b"projector"}
    assert (await projecting.job(job_id))["status"] == "completed"
    assert [row["job_id"] for row in await projecting.rows("parked", "job_id")] == [job_id]


async def test_a_poll_with_an_event_of_a_later_release_is_not_projected(projecting: Projecting) -> None:
    records = [record(fact("job-a", created()), 0, 0), from_the_future("job-b", 0, 1)]
    with pytest.raises(UnknownEventError, match="deploy readers before writers"):
        await projecting.jobs.handle(0, records)
    assert await projecting.rows("jobs", "job_id") == []


@pytest.mark.parametrize("size", [1, 2, 7, 100])
async def test_the_records_that_postgres_refuses_are_parked_and_their_poll_is_projected(
    projecting: Projecting, size: int
) -> None:
    """A text of random letters cannot be compressed into an index entry: SQLSTATE 54000."""
    chances = random.Random(size)
    long = "".join(chances.choices(string.ascii_letters, k=5000))
    bad = {chances.randrange(size) for _ in range(3)}
    records = []
    for number in range(size):
        data = created().model_copy(update={"target_id": long}) if number in bad else created()
        records.append(record(fact(f"job-{number}", data), 0, number))
    await projecting.jobs.handle(0, records)
    await projecting.jobs.handle(0, [record(fact(f"job-{number}", created()), 0, size + number) for number in bad])
    assert {row["job_id"] for row in await projecting.rows("jobs", "job_id")} == {
        f"job-{number}" for number in range(size) if number not in bad
    }
    assert {row["job_id"] for row in await projecting.rows("parked", "job_id")} == {f"job-{number}" for number in bad}


async def test_a_delivery_that_postgres_refuses_is_parked(projecting: Projecting) -> None:
    receiver = "".join(random.Random(1).choices(string.ascii_letters, k=9000))
    huge = WebhookAbandoned(delivery_id="msg", phase="completed", attempt=1, reason="GONE", origin_sha256=receiver)
    good = WebhookDelivered(delivery_id="msg-1", phase="completed", attempt=1, status=200, duration_ms=3)
    records = [record(fact("job-a", huge), 1, 0, JOB_DELIVERIES), record(fact("job-b", good), 1, 1, JOB_DELIVERIES)]
    await projecting.deliveries.handle(1, records)
    assert [row["job_id"] for row in await projecting.rows("deliveries", "log_offset")] == ["job-b"]


@pytest.mark.parametrize("change", ["UPDATE {}.checkpoints SET next_offset = 1", "DELETE FROM {}.checkpoints"])
async def test_a_checkpoint_that_went_back_is_not_passed_over(projecting: Projecting, change: str) -> None:
    records = [record(fact("job-a", data, second), 0, second) for second, data in enumerate(life())]
    await projecting.jobs.handle(0, records[:2])
    await projecting.pool.execute(change.format(projecting.schema))
    with pytest.raises(PositionLostError):
        await projecting.jobs.confirm()
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
