"""What jobs write: bytes in the log by event, rows and write-ahead log in Postgres."""

import asyncio
from collections import Counter
from dataclasses import dataclass

from bench.projected import SQL
from bench.report import Row, Table
from bench.rig import Rig
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.record import Record
from schemas.topics import JOB_DELIVERIES, JOB_EVENTS

SETTLE_S = 11.0  # an idle backend of Postgres reports its counts within ten seconds
TOPICS = (JOB_EVENTS, JOB_DELIVERIES)
COUNTS = ("inserted", "updated", "deleted", "bytes")


@dataclass(frozen=True, slots=True)
class Mark:
    """A state of the stores: end offsets by topic, bytes of log segments, WAL bytes, and COUNTS by table."""

    ends: dict[str, dict[int, int]]
    log: int
    wal: int
    tables: Counter[tuple[str, str]]


async def mark(rig: Rig, offsets: KafkaOffsets) -> Mark:
    """Read the current state, once the counts of Postgres are complete."""
    await asyncio.sleep(SETTLE_S)
    tables = await rig.database.fetch(SQL["tables"])
    # Segments only: index files are created with their full size in advance.
    segments = [path for topic in TOPICS for path in (rig.stack.data_dir / "kafka").rglob(f"{topic.name}-*/*.log")]
    return Mark(
        ends={topic.name: await offsets.end_offsets(topic) for topic in TOPICS},
        log=sum(path.stat().st_size for path in segments),
        wal=await rig.database.fetchval(SQL["wal"]),
        tables=Counter({(row["name"], count): row[count] for row in tables for count in COUNTS}),
    )


async def between(offsets: KafkaOffsets, before: Mark, after: Mark, jobs: int) -> list[Table]:
    """Return what was added per job from one mark to the next; reads the log's records again for their sizes."""
    records, size = Counter[str](), Counter[str]()
    for topic in TOPICS:
        async for batch in offsets.scan(topic, before.ends[topic.name], after.ends[topic.name]):
            for record in batch:
                records[_type(record)] += 1
                size[_type(record)] += _bytes(record)
    log_rows: list[Row] = [
        (name, f"{records[name] / jobs:.2f}", f"{total / records[name]:,.0f}", f"{total / jobs:,.0f}")
        for name, total in size.most_common()
    ]
    log_rows += [
        ("all", f"{records.total() / jobs:.2f}", "", f"{size.total() / jobs:,.0f}"),
        ("on disk, including batch headers", "", "", f"{(after.log - before.log) / jobs:,.0f}"),
    ]
    after.tables.subtract(before.tables)
    added = {name: [after.tables[name, count] for count in COUNTS] for name, _ in sorted(after.tables)}
    table_rows: list[Row] = [
        (name, *(f"{count / jobs:.2f}" for count in counts[:3]), f"{counts[3] / jobs:,.0f}")
        for name, counts in added.items()
        if any(counts[:3])
    ]
    table_rows.append(("write-ahead log", "", "", "", f"{(after.wal - before.wal) / jobs:,.0f}"))
    return [
        Table("Log records per job", ("Event", "records per job", "bytes per record", "bytes per job"), log_rows),
        Table("Rows and bytes on disk per job in Postgres", ("Table", *COUNTS), table_rows),
    ]


def _type(record: Record) -> str:
    return dict(record.headers)["ce_type"].decode().split(".")[1]


def _bytes(record: Record) -> int:
    """Return the size of a record's key, value and headers."""
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers
