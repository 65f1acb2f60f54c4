"""A fact and its form on the wire: CloudEvents 1.0 in Kafka's binary mode (attributes as headers, data as value)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from pydantic_core import from_json

from schemas.events import EVENTS, Event
from schemas.upcasters import upcast

Headers = list[tuple[str, bytes]]

SPEC_VERSION = b"1.0"
CONTENT_TYPE = b"application/json"
PREFIX = "piperoll."
LONGEST_ID = 255
"""Bytes of ce_id and ce_subject: ids are far shorter, a subject names a folder, and an index has a limit too."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""The bounds of ce_time. No clock is so wrong, and times near the years 1 and 9999 cannot be converted."""


class UndecodableRecordError(ValueError):
    """A record that is not an event of Piperoll. It is permanent: such records go to the dead letters."""


class UnknownEventError(RuntimeError):
    """An event of a later release. Skipping it would corrupt state for good, so the reader of its partition stops."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One event with the attributes of its envelope.

    `subject` is the job or batch id and the record's key. `time` is the writer's time, `appended_at` the broker's
    append time (None before the append); delays count from the latter.
    """

    id: str
    subject: str
    owner: str
    time: datetime
    source: str
    data: Event
    traceparent: str | None = None
    appended_at: datetime | None = None

    @property
    def known_at(self) -> datetime:
        """The append time, or the writer's time while the record is not in the log."""
        return self.appended_at or self.time


def encode(fact: Fact) -> tuple[bytes, bytes, Headers]:
    """The record's key, value and headers."""
    subject = fact.subject.encode()
    headers: Headers = [
        *_fixed(type(fact.data), fact.source),
        ("ce_id", fact.id.encode()),
        ("ce_subject", subject),
        ("ce_time", fact.time.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()),
        ("ce_owner", fact.owner.encode()),
    ]
    if fact.traceparent:
        headers.append(("traceparent", fact.traceparent.encode()))
    return subject, fact.data.model_dump_json(exclude_none=True).encode(), headers


@cache
def _fixed(event: type[Event], source: str) -> Headers:
    """The headers that all events of a type and a source have."""
    type_name = event.type_name()
    return [
        ("ce_specversion", SPEC_VERSION),
        ("ce_source", f"/piperoll/{source}".encode()),
        ("ce_type", type_name.encode()),
        ("ce_dataschema", f"/schemas/json/{type_name}.json".encode()),
        ("content-type", CONTENT_TYPE),
    ]


def decode(value: bytes | None, headers: Headers, appended_at: datetime) -> Fact:
    """The fact in a record. Raises UndecodableRecordError, and UnknownEventError for an event of a later release."""
    attributes = dict(headers)
    try:
        return Fact(
            id=_id(attributes, "ce_id"),
            subject=_subject(attributes),
            owner=_required(attributes, "ce_owner"),
            time=_time(_required(attributes, "ce_time")),
            source=_required(attributes, "ce_source").removeprefix("/piperoll/"),
            data=_decode_data(_required(attributes, "ce_type"), value or b""),
            traceparent=(attributes.get("traceparent") or b"").decode() or None,
            appended_at=appended_at,
        )
    except ValueError as error:  # text that is not UTF-8, an invalid time, a body that does not match its type
        raise UndecodableRecordError(str(error)) from error


def _required(attributes: Mapping[str, bytes | None], name: str) -> str:
    value = attributes.get(name)  # Kafka allows a header without a value
    if value is None:
        raise UndecodableRecordError(f"the header {name} is missing")
    if not value:
        raise UndecodableRecordError(f"the header {name} is empty")
    text = value.decode()
    if _CONTROL.search(text):
        raise UndecodableRecordError(f"the header {name} contains control characters: {text[:100]!r}")
    return text


def _id(attributes: Mapping[str, bytes | None], name: str) -> str:
    value = _required(attributes, name)
    if len(attributes[name] or b"") > LONGEST_ID:
        raise UndecodableRecordError(f"the header {name} has more than {LONGEST_ID} bytes")
    return value


def _subject(attributes: Mapping[str, bytes | None]) -> str:
    value = _id(attributes, "ce_subject")
    if "/" in value or value in (".", ".."):
        raise UndecodableRecordError(f"the header ce_subject is not an id: {value!r}")
    return value


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise UndecodableRecordError(f"ce_time has no time zone: {text[:100]}")
    if not EARLIEST <= time < LATEST:
        raise UndecodableRecordError(f"ce_time is not between {EARLIEST.year} and {LATEST.year}: {text[:100]}")
    return time


def _decode_data(type_name: str, value: bytes) -> Event:
    name, version = _parse_type(type_name)
    event = EVENTS.get(name)
    if event is None or version > event.version:
        raise UnknownEventError(f"{type_name[:100]} is not known to this release: deploy readers before writers")
    if version == event.version:
        return event.model_validate_json(value)
    body = from_json(value)
    if not isinstance(body, dict):
        raise UndecodableRecordError(f"the body of {type_name} is not an object")
    return event.model_validate(upcast(name, version, event.version, body))


def _parse_type(type_name: str) -> tuple[str, int]:
    """(`JobCreated`, 1) from `piperoll.JobCreated.v1`."""
    if not type_name.startswith(PREFIX):
        raise UndecodableRecordError(f"the type {type_name[:100]!r} is not an event of Piperoll")
    name, _, version = type_name.removeprefix(PREFIX).partition(".v")
    if not re.fullmatch("[1-9][0-9]{0,5}", version):
        raise UndecodableRecordError(f"the type {type_name[:100]!r} has no version")
    return name, int(version)
