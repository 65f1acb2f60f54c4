"""The positions of the notifier's three readers, when Postgres goes back to an earlier state under them."""

import pytest

from piperoll.log.continuity import PositionLostError
from piperoll.postgres import connect_pool
from piperoll.settings import Settings
from schemas.events import EndpointRemoved, WebhookDelivered
from schemas.ids import draw_endpoint_id, draw_job_id
from schemas.topics import ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS, Topic
from services.notifier.readers.server import PostgresServer
from services.notifier.readers.topic_reader import NotifierTopicReader
from tests.support.histories.jobs import fact
from tests.support.stacks.notifying import STARTED, MemoryLog, Rig, running

TOPICS = (JOB_EVENTS, JOB_DELIVERIES, ENDPOINT_EVENTS)


async def append(rig: Rig, topic: Topic) -> None:
    """A record of each kind, which the notifier is not handed yet."""
    if topic is JOB_EVENTS:
        await rig.append(draw_job_id(), STARTED, deliver=False)
    elif topic is JOB_DELIVERIES:
        delivered = WebhookDelivered(delivery_id="msg", phase="completed", attempt=1, status=200, duration_ms=1)
        await rig.log.append(topic, fact(draw_job_id(), delivered))
    else:
        await rig.tell(draw_endpoint_id(), EndpointRemoved(by="owner"), deliver=False)


def reader_of(rig: Rig, topic: Topic) -> NotifierTopicReader[object]:
    readers = {
        JOB_EVENTS: rig.notifier.job_events,
        JOB_DELIVERIES: rig.notifier.deliveries,
        ENDPOINT_EVENTS: rig.notifier.endpoint_events,
    }
    return readers[topic]  # type: ignore[return-value]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
@pytest.mark.parametrize("change", ["SET next_offset = next_offset - 1, last_ce_id = NULL", "SET partition = 9"])
async def test_a_checkpoint_that_went_back_stops_the_reader_and_nothing_is_skipped(
    patient: Settings, topic: Topic, change: str
) -> None:
    async with running(patient, MemoryLog(partitions=1)) as rig:
        for _ in range(2):
            await append(rig, topic)
        await rig.log.deliver()
        await rig.pool.execute(f"UPDATE notifier.checkpoints {change} WHERE topic = $1", topic.name)
        with pytest.raises(PositionLostError, match="handled up to 2"):
            await reader_of(rig, topic).confirm()
        await append(rig, topic)
        records = await rig.log.read_range(topic, {0: 2}, {0: 3})
        with pytest.raises(PositionLostError, match="handled up to 2"):
            await reader_of(rig, topic).handle(0, records)
        await rig.pool.execute("DELETE FROM notifier.checkpoints WHERE topic = $1 AND partition = 9", topic.name)
        again = await reader_of(rig, topic).assigned({0})
        assert again == {0: 1 if "offset" in change else 0}
        missed = await rig.log.read_range(topic, dict(again), {0: 3})
        await reader_of(rig, topic).handle(0, missed)
        (row,) = await rig.pool.fetch("SELECT next_offset FROM notifier.checkpoints WHERE topic = $1", topic.name)
        assert row["next_offset"] == 3


async def test_records_that_another_process_handled_are_no_lost_position(patient: Settings) -> None:
    async with running(patient, MemoryLog(partitions=1)) as rig:
        for _ in range(3):
            await append(rig, JOB_EVENTS)
        await rig.pool.execute("UPDATE notifier.checkpoints SET next_offset = 3 WHERE topic = $1", JOB_EVENTS.name)
        await rig.log.deliver()
        await append(rig, JOB_EVENTS)
        await rig.log.deliver()
        (row,) = await rig.pool.fetch("SELECT next_offset FROM notifier.checkpoints WHERE topic = $1", JOB_EVENTS.name)
        assert row["next_offset"] == 4


async def test_every_connection_to_one_server_is_of_one_generation(patient: Settings) -> None:
    server = PostgresServer()
    pool = await connect_pool(patient.postgres_dsn.get_secret_value(), min_size=3, on_connect=server.meet)
    await pool.close()
    assert server.generation == 1
