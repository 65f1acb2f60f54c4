"""Records that nobody should have written: poison and repeats."""

from piperoll.log.kafka import KafkaOffsets
from schemas.ids import draw_job_id
from schemas.topics import DOCUMENT_EVENTS, ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS
from tests.chaos.storm.faults.scene import Scene

TOPICS = (JOB_EVENTS, JOB_DELIVERIES, DOCUMENT_EVENTS, ENDPOINT_EVENTS)
REPEATED = 300  # records of a duplicate storm


async def add_poison(scene: Scene) -> str:
    """Records that are no events, in every topic, also under keys that are used later."""
    async with scene.appender() as appender:
        for topic in TOPICS:
            key = draw_job_id().encode()
            await appender.append_raw(topic, key, b"\xff\x00garbage", [])
            await appender.append_raw(topic, key, b"{}", [("ce_type", b"nonsense"), ("ce_id", b"")])
            await appender.append_raw(topic, None, b"", [("ce_id", b"\xff\xfe")])
    return f"poison in {len(TOPICS)} topics"


async def repeat_records(scene: Scene) -> str:
    """The newest facts of one topic are appended a second time, as they were."""
    topic = scene.chances.choice(TOPICS)
    offsets = KafkaOffsets(scene.system.settings)
    await offsets.start()
    try:
        ends, first = await offsets.end_offsets(topic), await offsets.begin_offsets(topic)
        begins = {part: max(first[part], end - REPEATED // len(ends)) for part, end in ends.items()}
        records = await offsets.read_range(topic, begins, ends)
    finally:
        await offsets.stop()
    async with scene.appender() as appender:
        for record in records:
            if record.key is not None:
                await appender.append_raw(topic, record.key, record.value, record.headers)
    return f"appended {len(records)} records of {topic.name} again"
