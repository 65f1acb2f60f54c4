"""Records that nobody should have written: poison and repeats."""

from piperoll.log.kafka import KafkaOffsets
from schemas.ids import draw_job_id
from schemas.topics import DEAD_LETTERS, DOCUMENT_EVENTS, ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS, MANIFEST
from tests.chaos.storm.faults.scene import PromiseBrokenError, Scene
from tests.support.clients.commands import Ended, piperoll
from tests.support.waiting import NeverHappenedError, wait_until

TOPICS = (JOB_EVENTS, JOB_DELIVERIES, DOCUMENT_EVENTS, ENDPOINT_EVENTS)
REPEATED = 300  # records of a duplicate storm
LISTED_S = 120.0


async def add_poison(scene: Scene) -> str:
    """Records that are no events, in every topic, also under keys that are used later; they must be listed."""
    async with scene.appender() as appender:
        for topic in MANIFEST:
            key = draw_job_id().encode()
            await appender.append_raw(topic, key, b"\xff\x00garbage", [])
            await appender.append_raw(topic, key, b"{}", [("ce_type", b"nonsense"), ("ce_id", b"")])
            await appender.append_raw(topic, None, b"", [("ce_id", b"\xff\xfe")])
        for position in (b"0:999999999", b"9999:0"):  # which the log does not have
            named = [("piperoll_topic", JOB_EVENTS.name.encode()), ("piperoll_position", position)]
            await appender.append_raw(DEAD_LETTERS, None, b"", [("piperoll_kind", b"stopped"), *named])
    await _require_listed(scene)
    return f"poison in {len(MANIFEST)} topics"


async def _require_listed(scene: Scene) -> None:
    """The documented command must read the dead letters, whatever is in them, once the broker answers."""
    latest: list[Ended] = []

    async def listed() -> bool:
        latest[:] = [await piperoll("dead-letters", "list", folder=scene.system.stack.data_dir)]
        return latest[0].code == 0 and "999999999" not in latest[0].out

    try:
        await wait_until(listed, LISTED_S, "the dead letters to be listed")
    except NeverHappenedError:
        raise PromiseBrokenError(f"`piperoll dead-letters list` ended with {latest[0]}") from None


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
