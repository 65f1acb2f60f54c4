"""The golden histories: recorded records of every event type and version, and the states that each reader must reach.

See tests/golden/README.md. Read only: no code writes these files.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from piperoll.log.record import Record

GOLDEN = Path(__file__).parents[2] / "golden"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class GoldenHistory:
    """One file: the records in the order of their appends, and the expected states by reader."""

    name: str
    records: tuple[Record, ...]
    expected: Json


def record_of(entry: Json, offset: int, partition: int = 0) -> Record:
    """The record of an entry: the value as it was written, with the recorded append time."""
    headers = [(name, text.encode()) for name, text in entry["headers"].items()]
    value = json.dumps(entry["value"], separators=(",", ":")).encode()
    stamp = entry.get("timestamp_ms", 0)
    return Record(entry["topic"], partition, offset, stamp, entry["key"].encode(), value, headers)


@cache
def golden_histories() -> tuple[GoldenHistory, ...]:
    """All of them, by name."""
    files = sorted((GOLDEN / "histories").glob("*.json"))
    return tuple(_read(file) for file in files)


def _read(file: Path) -> GoldenHistory:
    content = json.loads(file.read_text(encoding="utf-8"))
    records = tuple(record_of(entry, offset) for offset, entry in enumerate(content["records"]))
    return GoldenHistory(file.stem, records, content["expected"])
