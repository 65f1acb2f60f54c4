"""Dead letters: records that no reader can use, kept with their position and the reason.

Also the notes about them: that a partition stopped at a record (STOPPED), and that a parked one was put back or left
out for good (SETTLED).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, Literal

import structlog

from piperoll.log.contract import RawAppender
from piperoll.log.record import Position, Record
from schemas.envelope import Headers
from schemas.topics import DEAD_LETTERS

log = structlog.get_logger()

PARKED: Final = "parked"
STOPPED: Final = "stopped"
SETTLED: Final = "settled"
Kind = Literal["parked", "stopped", "settled"]
KINDS: Final[Mapping[str, Kind]] = {PARKED: PARKED, STOPPED: STOPPED, SETTLED: SETTLED}
MOST_BYTES = 900_000
"""Of a record within a letter. The broker accepts 1 MiB with the letter's own headers; a longer record is cut."""
MOST_HEADER_BYTES = 64 * 1024
CUT_KEY_BYTES = 1024


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as it was read. `position` is that of the original, `key` and `type` are text for people.

    A letter of an earlier release has no kind: its record is parked. `unparked_at` is where the key's parking ended, of
    a settled one.
    """

    kind: Kind
    consumer: str
    topic: str
    position: Position
    why: str
    at: str
    key: str
    type: str
    unparked_at: Position | None = None


class DeadLetters:
    """Appends letters to the dead-letter topic, under the record's own key."""

    def __init__(self, appender: RawAppender) -> None:
        self._appender = appender

    async def park(self, consumer: str, record: Record, why: str) -> None:
        """Append one parked record, with the reader's name, its position and the reason as headers. At least once."""
        await self._append(PARKED, consumer, record, why)

    async def park_all(self, consumer: str, letters: Iterable[tuple[Record, str]]) -> None:
        """Log and append parked records, each with its reason. At least once."""
        for record, why in letters:
            log.error("record_parked", topic=record.topic, position=str(record.position), why=why[:500])
            await self.park(consumer, record, why)

    async def stopped(self, consumer: str, record: Record, why: str) -> None:
        """Append the record at which a reader of a partition stopped. At least once."""
        await self._append(STOPPED, consumer, record, why)

    async def settled(self, by: str, record: Record, how: str, unparked_at: Position | None) -> None:
        """Append that a record was put back, or is left out for good, and where the parking of its key ended."""
        more = {} if unparked_at is None else {"piperoll_unparked_at": str(unparked_at)}
        await self._append(SETTLED, by, record, how, more)

    async def _append(
        self, kind: Kind, consumer: str, record: Record, why: str, more: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        origin = {
            **more,
            "piperoll_kind": kind,
            "piperoll_consumer": consumer,
            "piperoll_topic": record.topic,
            "piperoll_position": str(record.position),
            "piperoll_reason": why[:1000],
            "piperoll_parked_at": datetime.now(UTC).isoformat(),
        }
        key, value, headers = _cut(record)
        added = [(name, text.encode(errors="replace")) for name, text in origin.items()]
        await self._appender.append_raw(DEAD_LETTERS, key, value, [*headers, *added])


def read_letter(record: Record) -> DeadLetter | None:
    """The letter in a record of the dead-letter topic; None for a foreign record."""
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    position = read_position(headers.get("piperoll_position", ""))
    kind = KINDS.get(headers.get("piperoll_kind", PARKED))
    if kind is None or position is None or "piperoll_topic" not in headers:
        return None
    return DeadLetter(
        kind=kind,
        consumer=headers.get("piperoll_consumer", ""),
        topic=headers["piperoll_topic"],
        position=position,
        why=headers.get("piperoll_reason", ""),
        at=headers.get("piperoll_parked_at", ""),
        key=record.key_text,
        type=headers.get("ce_type", ""),
        unparked_at=read_position(headers.get("piperoll_unparked_at", "")),
    )


def read_position(text: str) -> Position | None:
    """The position in a text such as `3:1207`."""
    found = re.fullmatch(r"([0-9]{1,9}):([0-9]{1,18})", text)
    return None if found is None else Position(int(found[1]), int(found[2]))


def _cut(record: Record) -> tuple[bytes | None, bytes | None, Headers]:
    """The parts of a record that fit into a letter; the original stays in its topic."""
    key, value, headers = record.key, record.value, list(record.headers)
    if _size(key, value, headers) <= MOST_BYTES:
        return key, value, headers
    if _size(None, None, headers) > MOST_HEADER_BYTES:
        headers = []
    if key is not None and len(key) > CUT_KEY_BYTES:
        key = key[:CUT_KEY_BYTES]
    room = MOST_BYTES - _size(key, None, headers)
    headers.append(("piperoll_cut", str(len(record.value or b"")).encode()))
    return key, (value or b"")[:room], headers


def _size(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    return len(key or b"") + len(value or b"") + sum(len(name) + len(text or b"") for name, text in headers)
