"""What each service may do in Kafka: one table, from which ACLs are made and with which they are compared. Pure."""

import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.topics import MANIFEST, Topic

SERVICES = ("api", "worker", "projector", "notifier")
WATCHES_GROUPS = ("api",)
"""The services that show members and lag of the consumer groups."""
EVERYONE = "User:*"
PREFIX = "…"
"""The end of a name that stands for all names which begin so."""
IMPLIED_BY = {"Describe": ("Read", "Write", "Delete", "Alter"), "DescribeConfigs": ("AlterConfigs",)}
"""The operations that include another one (https://kafka.apache.org/documentation/#operations_in_kafka)."""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One operation on one topic or consumer group."""

    operation: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.operation} on the {self.kind} {self.name}"


def rights_of(service: str, topics: Iterable[Topic] = MANIFEST) -> frozenset[Right]:
    """Return all rights of a service.

    It writes the topics of which it is a writer, and reads those that it has a consumer group for, or is asked about.
    The API describes all groups.
    Each service also compares all topics with the manifest: their settings, and the ends of their partitions.
    """
    rights = set()
    for topic in topics:
        rights |= {Right("Describe", "topic", topic.name), Right("DescribeConfigs", "topic", topic.name)}
        if service in topic.writers:
            rights.add(Right("Write", "topic", topic.name))
        if service in topic.asked_by:
            rights.add(Right("Read", "topic", topic.name))
        for group in topic.groups:
            if group.split(".")[1] == service:
                rights |= {Right("Read", "topic", topic.name), Right("Read", "group", group)}
            if service in WATCHES_GROUPS:
                rights.add(Right("Describe", "group", group))
    return frozenset(rights)


def principal_of(service: str, pattern: str) -> str:
    """Return the principal of a service, such as `User:piperoll-api`."""
    return pattern.replace("{service}", service)


def commands(service: str, pattern: str, bootstrap: str) -> list[str]:
    """Return the commands that give a service its rights, one for each operation."""
    named: dict[str, list[Right]] = defaultdict(list)
    for right in sorted(rights_of(service)):
        named[right.operation].append(right)
    begin = ["kafka-acls.sh", "--bootstrap-server", bootstrap, "--command-config", "operator.properties", "--add"]
    allow = ["--allow-principal", principal_of(service, pattern)]
    return [
        shlex.join([*begin, *allow, "--operation", operation, *(_named(rights))]) for operation, rights in named.items()
    ]


def _named(rights: Iterable[Right]) -> list[str]:
    return [word for right in rights for word in (f"--{right.kind}", right.name)]


def differences(found: Mapping[str, frozenset[Right]], pattern: str) -> tuple[list[str], list[str]]:
    """Return sentences about the rights that services lack, and about those that they do not need.

    `found` are the rights in Kafka by principal.
    """
    lacking, needless = [], []
    everyone = found.get(EVERYONE, frozenset())
    if everyone:
        needless.append(f"every client of Kafka has {_few(sorted(everyone))}: remove it")
    for service in SERVICES:
        principal, wanted = principal_of(service, pattern), rights_of(service)
        own = found.get(principal, frozenset())
        missing = sorted(right for right in wanted if not any(_covers(one, right) for one in own | everyone))
        if missing:
            lacking.append(f"{principal} lacks {_few(missing)}: run the commands of `piperoll topics acl`")
        if more := sorted(own - wanted):
            needless.append(f"{principal} does not need {_few(more)}: remove it")
    return lacking, needless


def _covers(given: Right, wanted: Right) -> bool:
    """Whether one right includes another one, as Kafka's authorizer decides it."""
    name = given.name.removesuffix(PREFIX)
    names = given.name in (wanted.name, "*") or (name != given.name and wanted.name.startswith(name))
    operations = given.operation in (wanted.operation, "All") or given.operation in IMPLIED_BY.get(wanted.operation, ())
    return given.kind == wanted.kind and names and operations


def _few(rights: list[Right]) -> str:
    shown = ", ".join(map(str, rights[:3]))
    return shown if len(rights) <= 3 else f"{shown} and {len(rights) - 3} more"
