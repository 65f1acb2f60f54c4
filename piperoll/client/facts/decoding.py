"""A fact as a subscriber reads it: CloudEvents 1.0 in Kafka's binary mode, attributes as headers, data as value.

Pure. The bodies are described by `schemas/json` of the release; here they are plain JSON.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from piperoll.client.errors import PiperollError

TYPE = re.compile(r"piperoll\.([A-Za-z]{1,100})\.v([1-9][0-9]{0,5})")
KNOWN: Mapping[str, int] = {
    "JobCreated": 1,
    "JobStarted": 1,
    "JobProgress": 1,
    "JobReleased": 1,
    "JobRetryScheduled": 1,
    "JobCompleted": 1,
    "JobFailed": 1,
    "JobCancelled": 1,
    "JobErased": 1,
    "BatchCreated": 1,
    "BatchExpanded": 1,
    "BatchErased": 1,
    "WebhookDelivered": 1,
    "WebhookFailed": 1,
    "WebhookAbandoned": 1,
    "WebhookRedeliveryRequested": 1,
    "DocumentAdded": 1,
    "DocumentRemoved": 1,
    "FolderCreated": 1,
    "FolderChanged": 1,
    "FolderRemoved": 1,
    "FolderMembersChanged": 1,
    "EndpointRegistered": 1,
    "EndpointTested": 1,
    "EndpointRemoved": 1,
    "KeyChanged": 1,
    "ContentAccessed": 1,
    "RedriveRequested": 1,
}
"""The facts that this release knows, and their newest version."""


class UndecodableFactError(PiperollError):
    """A record that is not a fact of Piperoll."""


@dataclass(frozen=True, slots=True)
class FollowedFact:
    """A fact: its `name` such as JobCompleted and `version`, the id of its `subject`, its `owner`, and its `data`.

    `time` is the writer's time. `place` is topic, partition and offset.
    """

    id: str
    name: str
    version: int
    subject: str
    owner: str
    time: datetime
    source: str
    data: Mapping[str, Any] = field(default_factory=dict)
    place: tuple[str, int, int] = ("", 0, 0)
    traceparent: str | None = None

    @property
    def known(self) -> bool:
        """Whether this release knows the type and its version; an older version of a known type is known."""
        return self.version <= KNOWN.get(self.name, 0)


def decoded(
    headers: Sequence[tuple[str, bytes | None]], value: bytes | None, place: tuple[str, int, int]
) -> FollowedFact:
    """Return the fact in a record. Raises UndecodableFactError."""
    attributes = dict(headers)
    try:
        kind = TYPE.fullmatch(_text(attributes, "ce_type"))
        if kind is None:
            raise UndecodableFactError(f"{place}: its type is not one of Piperoll")
        data = json.loads(value or b"")
        if not isinstance(data, dict):
            raise UndecodableFactError(f"{place}: its value is not a JSON object")
        return FollowedFact(
            id=_text(attributes, "ce_id"),
            name=kind[1],
            version=int(kind[2]),
            subject=_text(attributes, "ce_subject"),
            owner=_text(attributes, "ce_owner"),
            time=datetime.fromisoformat(_text(attributes, "ce_time")),
            source=_text(attributes, "ce_source"),
            data=data,
            place=place,
            traceparent=(attributes.get("traceparent") or b"").decode() or None,
        )
    except ValueError as error:
        raise UndecodableFactError(f"{place}: {error}") from error


def _text(attributes: Mapping[str, bytes | None], name: str) -> str:
    value = attributes.get(name)
    if not value:
        raise ValueError(f"the header {name} is missing")
    return value.decode()
