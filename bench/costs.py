"""What a job leaves behind: bytes in the log by event, rows and write-ahead log in Postgres."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench.projected import SQL
from bench.rig import Rig
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.record import Record
from schemas.topics import JOB_DELIVERIES, JOB_EVENTS, Topic

SETTLE_S = 11.0  # a backend of Postgres that fell idle tells its counts within ten seconds
TOPICS = (JOB_EVENTS, JOB_DELIVERIES)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the log and the database stood: end offsets by topic, WAL bytes, and each table's rows and size."""

    ends: dict[str, dict[int, int]]
    disk: dict[str, int]
    wal: int
    tables: dict[str, tuple[int, int, int, int]]


@dataclass(slots=True)
class Weight:
    """Records of one type and their bytes: key, value and headers as they were appended."""

    records: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Costs:
    """Between two marks. `tables` has rows inserted, updated, deleted, and bytes on disk with indexes."""

    events: dict[str, Weight]
    log_bytes: int
    wal: int
    tables: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)


async def mark(rig: Rig, offsets: KafkaOffsets) -> Mark:
    """Notes where everything stands."""
    await asyncio.sleep(SETTLE_S)
    rows = await rig.database.fetch(SQL["tables"])
    return Mark(
        ends={topic.name: await offsets.end_offsets(topic) for topic in TOPICS},
        disk={topic.name: _on_disk(rig.stack.data_dir / "kafka", topic) for topic in TOPICS},
        wal=await rig.database.fetchval(SQL["wal"]),
        tables={row["name"]: (row["inserted"], row["updated"], row["deleted"], row["bytes"]) for row in rows},
    )


async def between(offsets: KafkaOffsets, before: Mark, after: Mark) -> Costs:
    """What was added from one mark to the next; reads the log's records once more to weigh them."""
    events: dict[str, Weight] = {}
    for topic in TOPICS:
        async for records in offsets.scan(topic, before.ends[topic.name], after.ends[topic.name]):
            for record in records:
                weight = events.setdefault(_type(record), Weight())
                weight.records += 1
                weight.bytes += _bytes(record)
    grown = Counter(after.disk)
    grown.subtract(before.disk)
    nothing = (0, 0, 0, 0)
    tables = {
        name: tuple(new - old for new, old in zip(counts, before.tables.get(name, nothing), strict=True))
        for name, counts in after.tables.items()
    }
    touched = {name: counts for name, counts in tables.items() if any(counts[:3])}
    return Costs(events, grown.total(), after.wal - before.wal, touched)  # type: ignore[arg-type]


def _type(record: Record) -> str:
    return dict(record.headers)["ce_type"].decode().split(".")[1]


def _bytes(record: Record) -> int:
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


def _on_disk(kafka: Path, topic: Topic) -> int:
    """Bytes of a topic's segments; indexes are made in full size ahead of their use, so they would mislead."""
    return sum(path.stat().st_size for path in kafka.rglob(f"{topic.name}-*/*.log"))
