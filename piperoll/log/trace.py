"""The records of some keys as lines, to show the history behind a violation."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from piperoll.log.contract import LogView
from piperoll.log.record import Record, partition_of
from schemas.envelope import UndecodableRecordError, UnknownEventError
from schemas.topics import Topic

MAX_LINES = 40  # of one key; a long run has thousands of progress records
SHOWN = ("number", "run", "worker", "sequence", "reason", "error_code", "phase", "delivery_id", "delay_s")
"""The fields that decide whether the fold accepts a fact; never content."""


async def traces(log: LogView, keys: Collection[str], topics: Collection[Topic]) -> dict[str, list[str]]:
    """Return the records of each key, in append order, as lines. Scans the partitions of the keys once.

    Raises KafkaError and TimeoutError.
    """
    found: dict[str, list[Record]] = defaultdict(list)
    for topic in topics:
        begins, ends = await log.begin_offsets(topic), await log.end_offsets(topic)
        homes = {partition_of(key, len(begins)) for key in keys}
        async for records in log.scan(
            topic, {part: begins[part] for part in homes}, {part: ends[part] for part in homes}
        ):
            for record in records:
                if record.key_text in keys:
                    found[record.key_text].append(record)
    return {key: list(_lines(found[key])) for key in keys}


def _lines(records: list[Record]) -> Iterator[str]:
    ordered = sorted(records, key=lambda record: (record.timestamp_ms, record.topic, record.offset))
    half = MAX_LINES // 2
    if len(ordered) <= MAX_LINES:
        yield from map(line, ordered)
        return
    yield from map(line, ordered[:half])
    yield f"... {len(ordered) - 2 * half} records ..."
    yield from map(line, ordered[-half:])


def line(record: Record) -> str:
    """One record: append time (UTC), position, event, and the fields that the fold decides by."""
    at = datetime.fromtimestamp(record.timestamp_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    topic = record.topic.removeprefix("piperoll.").removesuffix(".v1")
    return f"{at}  {topic} {record.position}  {_event(record)}"


def _event(record: Record) -> str:
    try:
        data = record.fact().data
    except UndecodableRecordError as error:
        return f"undecodable: {error}"
    except UnknownEventError as error:
        return f"of a later release: {error}"
    shown = [f"{name}={value}" for name in SHOWN if (value := getattr(data, name, None)) is not None]
    return " ".join([type(data).__name__, *shown])
