"""Consumer groups as their coordinator knows them: who is a member, of which partitions, and how far each has read.

Each member commits its positions every few seconds, and beside them a note about itself. They are for people: no
reader goes on from a committed position, so a stopped service is seen here, and nothing relies on it.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import for_code
from pydantic import BaseModel, ConfigDict, ValidationError

from piperoll.log.kafka import client_options
from piperoll.settings import Settings
from schemas.topics import MANIFEST, Topic


class MemberNote(BaseModel):
    """What a member commits about itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    slots: int
    """Jobs that it runs at a time."""


@dataclass(frozen=True, slots=True)
class Member:
    """A process in a group. `slots` is None for one that has no such number, or committed no note yet."""

    instance: str
    partitions: frozenset[int]
    slots: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A group, its members, and the committed next offset of each partition of its topic."""

    name: str
    topic: str
    members: tuple[Member, ...]
    positions: Mapping[int, int]

    @property
    def service(self) -> str:
        """The service whose processes are its members."""
        return self.name.split(".")[1]

    def lag(self, ends: Mapping[int, int]) -> int | None:
        """The records that it has not read, given the ends of its topic; None if a position was never committed."""
        if not ends.keys() <= self.positions.keys():
            return None
        return sum(max(0, end - self.positions[part]) for part, end in ends.items())


async def read_groups(settings: Settings, topics: Iterable[Topic] = MANIFEST) -> list[Group]:
    """Return the groups of these topics. Raises KafkaError and OSError."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        named = [(group, topic.name) for topic in topics for group in topic.groups]
        return list(await asyncio.gather(*(_read(admin, group, topic) for group, topic in named)))
    finally:
        await admin.close()


async def _read(admin: AIOKafkaAdminClient, group: str, topic: str) -> Group:
    coordinator = await admin.find_coordinator(group)
    (answer,) = await admin.describe_consumer_groups([group], coordinator)
    (described,) = answer.to_object()["groups"]
    if described["error_code"]:
        raise for_code(described["error_code"])(group)
    committed = await admin.list_consumer_group_offsets(group, coordinator)
    stored = {tp.partition: at for tp, at in committed.items() if tp.topic == topic and at.offset >= 0}
    notes = {part: _note(at.metadata) for part, at in stored.items()}
    members = tuple(_member(one, topic, notes) for one in described["members"])
    return Group(group, topic, members, {part: at.offset for part, at in stored.items()})


def _member(described: Mapping[str, Any], topic: str, notes: Mapping[int, MemberNote | None]) -> Member:
    partitions = _assigned(described["member_assignment"], topic)
    note = next((notes[part] for part in sorted(partitions) if notes.get(part) is not None), None)
    return Member(described["client_id"], frozenset(partitions), None if note is None else note.slots)


def _assigned(assignment: bytes | None, topic: str) -> set[int]:
    """The partitions of a member; none while the group assigns them."""
    if not assignment:
        return set()
    decoded = ConsumerProtocolMemberAssignment.decode(assignment)
    return {tp.partition for tp in decoded.partitions() if tp.topic == topic}


def _note(metadata: str | None) -> MemberNote | None:
    try:
        return MemberNote.model_validate_json(metadata or "")
    except ValidationError:
        return None
