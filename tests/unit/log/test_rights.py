"""The rights of the services in Kafka: what the table has, how commands give it, how a cluster is compared with it."""

import shlex
from itertools import pairwise

import pytest

from piperoll.log.topics.rights import PREFIX, SERVICES, Right, commands, differences, principal_of, rights_of
from schemas.events import EVENTS
from schemas.topics import DEAD_LETTERS, JOB_EVENTS, MANIFEST

PATTERN = "User:CN=piperoll-{service}"
SOUND = {principal_of(service, PATTERN): rights_of(service) for service in SERVICES}


def names(service: str, operation: str) -> set[str]:
    return {right.name for right in rights_of(service) if (right.operation, right.kind) == (operation, "topic")}


def test_a_service_writes_the_topics_of_its_events_and_reads_those_of_its_groups() -> None:
    everything = {topic.name for topic in MANIFEST}
    for service in SERVICES:
        assert names(service, "Describe") == names(service, "DescribeConfigs") == everything
        assert names(service, "Write") == {topic.name for topic in MANIFEST if service in topic.writers}
    assert names("api", "Read") == everything, "it shows the audit, and puts parked records of all topics back"
    assert names("projector", "Write") == {DEAD_LETTERS.name}
    assert {group for topic in MANIFEST for group in topic.groups} == {
        right.name for right in rights_of("api") if right.kind == "group" and right.operation == "Describe"
    }
    assert {writer for event in EVENTS.values() for writer in event.writers} <= set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_the_commands_give_exactly_the_rights_of_the_table(service: str) -> None:
    given = set()
    for command in commands(service, PATTERN, "kafka:9092"):
        words = shlex.split(command)
        assert words[:3] == ["kafka-acls.sh", "--bootstrap-server", "kafka:9092"]
        assert words[words.index("--allow-principal") + 1] == f"User:CN=piperoll-{service}"
        operation = words[words.index("--operation") + 1]
        pairs = pairwise(words)
        given |= {Right(operation, kind[2:], name) for kind, name in pairs if kind in ("--topic", "--group")}
    assert given == rights_of(service)


def test_a_cluster_with_the_rights_of_the_table_is_sound() -> None:
    assert differences(SOUND, PATTERN) == ([], [])


def test_each_right_that_is_missing_is_named() -> None:
    for service in SERVICES:
        principal = principal_of(service, PATTERN)
        for right in rights_of(service):
            lacking, needless = differences({**SOUND, principal: SOUND[principal] - {right}}, PATTERN)
            implied = right.operation == "Describe" and right.name in names(service, "Read") | names(service, "Write")
            assert (lacking == []) == implied, right
            assert implied or str(right) in lacking[0]
            assert needless == []
    assert len(differences({}, PATTERN)[0]) == len(SERVICES)


@pytest.mark.parametrize(
    "more",
    [
        Right("Write", "topic", JOB_EVENTS.name),
        Right("All", "topic", "*"),
        Right("Read", "topic", f"piperoll.{PREFIX}"),
        Right("Alter", "cluster", "kafka-cluster"),
    ],
)
def test_a_right_that_a_service_does_not_need_is_named(more: Right) -> None:
    principal = principal_of("projector", PATTERN)
    lacking, needless = differences({**SOUND, principal: SOUND[principal] | {more}}, PATTERN)
    assert lacking == []
    assert needless == [f"{principal} does not need {more}: remove it"]


def test_wider_rights_are_enough_and_named() -> None:
    wide = frozenset({Right("All", "topic", f"piperoll.{PREFIX}"), Right("Read", "group", "*")})
    lacking, needless = differences({"User:*": wide}, PATTERN)
    assert lacking == []
    assert "every client of Kafka has" in needless[0]
