"""The manifest of topics, and where a key's records stand."""

import pytest
from aiokafka.partitioner import murmur2 as library_murmur2
from hypothesis import given
from hypothesis import strategies as st

from piperoll.log.murmur import murmur2
from piperoll.log.record import POSITIVE, partition_of
from piperoll.log.topics.admin import LiveTopic, drift
from schemas.topics import (
    AUDIT_EVENTS,
    DEAD_LETTERS,
    DOCUMENT_EVENTS,
    ENDPOINT_EVENTS,
    FOR_EVER,
    JOB_DELIVERIES,
    JOB_EVENTS,
    MANIFEST,
    Topic,
)


def test_the_log_of_facts_is_kept_for_ever_and_never_compacted() -> None:
    assert JOB_EVENTS.retention_ms == FOR_EVER
    assert JOB_EVENTS.config() == {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "message.timestamp.type": "LogAppendTime",
    }


def test_every_topic_of_the_manifest_has_its_own_name_and_its_version() -> None:
    assert MANIFEST == (JOB_EVENTS, JOB_DELIVERIES, DOCUMENT_EVENTS, ENDPOINT_EVENTS, AUDIT_EVENTS, DEAD_LETTERS)
    assert len({topic.name for topic in MANIFEST}) == len(MANIFEST)
    assert all(topic.name.startswith("piperoll.") and topic.name.endswith(".v1") for topic in MANIFEST)


# --- places ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_keys_are_hashed_as_the_java_client_does(key: str, hashed: int) -> None:
    """The values that Apache Kafka's own tests state for murmur2 (UtilsTest)."""
    assert partition_of(key, 2**31) == hashed & POSITIVE


@given(st.binary(max_size=80))
def test_keys_are_hashed_as_the_client_library_does(key: bytes) -> None:
    assert murmur2(key) & POSITIVE == library_murmur2(key) & POSITIVE


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.integers(1, 200))
def test_a_key_has_one_place_and_it_exists(key: str, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions
    assert partition_of(key, partitions) == partition_of(key, partitions)


# --- drift -----------------------------------------------------------------------------------------------------------


def live(topic: Topic = JOB_EVENTS, partitions: int = 3, begin: int = 0, **config: str) -> LiveTopic:
    stated = {**topic.config(), **{name.replace("_", "."): value for name, value in config.items()}}
    return LiveTopic(partitions, stated, dict.fromkeys(range(partitions), begin))


def test_a_topic_as_the_manifest_has_it_has_not_drifted() -> None:
    assert all(drift(topic, live(topic), 3) == [] for topic in MANIFEST)


def test_a_missing_topic_is_reported_with_the_command_that_creates_it() -> None:
    assert drift(JOB_EVENTS, None, 3) == [
        "the topic piperoll.jobs.events.v1 does not exist: create it with `piperoll topics create`"
    ]


def test_another_number_of_partitions_is_reported_with_the_remedy() -> None:
    (sentence,) = drift(JOB_EVENTS, live(partitions=6), 3)
    assert "has 6 partitions, PIPEROLL_PARTITIONS is 3" in sentence
    assert "never alter the topic" in sentence


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("cleanup_policy", "compact"),
        ("retention_ms", "604800000"),
        ("retention_bytes", "1000000"),
        ("message_timestamp_type", "CreateTime"),
    ],
)
def test_a_setting_that_could_lose_facts_is_reported(setting: str, value: str) -> None:
    (sentence,) = drift(JOB_EVENTS, live(**{setting: value}), 3)
    assert f"{setting.replace('_', '.')}={value}, it must be" in sentence


def test_a_log_that_lost_its_beginning_is_reported_and_one_that_may_lose_it_is_not() -> None:
    (sentence,) = drift(JOB_EVENTS, live(begin=5), 3)
    assert "lost its oldest records" in sentence
    assert drift(JOB_DELIVERIES, live(JOB_DELIVERIES, begin=5), 3) == []


def test_every_difference_is_reported_at_once() -> None:
    assert len(drift(JOB_EVENTS, live(partitions=6, begin=5, cleanup_policy="compact"), 3)) == 3
