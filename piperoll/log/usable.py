"""Which decoded events a reader can use. Pure, and one rule for all readers, so that they park the same records.

Events of Piperoll's own writers always pass: whatever fails is from a foreign writer.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from piperoll.store.paths import refusal_of
from schemas import events, topics
from schemas.claims import Claim
from schemas.events import MOST_MEMBERS, BatchCreated, Event

CARRIED: Mapping[str, frozenset[type[Event]]] = {
    topics.JOB_EVENTS.name: frozenset((*events.JOB_EVENTS, *events.BATCH_EVENTS)),
    topics.JOB_DELIVERIES.name: frozenset(events.DELIVERY_EVENTS),
    topics.DOCUMENT_EVENTS.name: frozenset(events.DOCUMENT_EVENTS),
    topics.ENDPOINT_EVENTS.name: frozenset(events.ENDPOINT_EVENTS),
    topics.AUDIT_EVENTS.name: frozenset(events.AUDIT_EVENTS),
}
"""The events of each topic."""


def refusal(topic: str, owner: str, event: Event, value: bytes | None) -> str | None:
    """Return why no reader can use `event`, which was decoded from `value`; None for a usable one."""
    if why := refusal_of(owner):
        return f"the owner {owner[:100]!r} cannot have uploads, which are in a folder of that name: {why}"
    if topic in CARRIED and type(event) not in CARRIED[topic]:
        return f"{event.type_name()} does not belong to the topic {topic}"
    for name, claim in claims_of(event):
        if why := refusal_of(claim.uri):
            return f"the claim {name} cannot be opened, because of its uri {claim.uri[:100]!r}: {why}"
    if isinstance(event, BatchCreated) and event.count > MOST_MEMBERS:
        return f"the batch has more than {MOST_MEMBERS} members"
    if value is not None and b"\\u0000" in value and _has_nul(event.model_dump()):
        return "a text contains NUL, which Postgres refuses"
    return None


def claims_of(event: Event) -> Iterator[tuple[str, Claim]]:
    """Yield the claims in an event, with the names of their fields."""
    for name in _claim_fields(type(event)):
        claim = getattr(event, name)
        if claim is not None:
            yield name, claim


@cache
def _claim_fields(event: type[Event]) -> tuple[str, ...]:
    return tuple(name for name, field in event.model_fields.items() if _is_claim(field.annotation))


def _is_claim(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, UnionType):
        return Claim in get_args(annotation)
    return annotation is Claim


def _has_nul(value: Any) -> bool:
    match value:
        case str():
            return "\x00" in value
        case dict():
            return any(_has_nul(one) for pair in value.items() for one in pair)
        case list() | tuple():
            return any(map(_has_nul, value))
        case _:
            return False
