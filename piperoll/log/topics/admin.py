"""Create the topics, and compare the live ones with the manifest before a service uses them."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, TopicAuthorizationFailedError, for_code

from piperoll.log.kafka import KafkaOffsets, client_options
from piperoll.settings import Settings
from schemas.topics import FOR_EVER, MANIFEST, Topic

TOPIC_SETTING = 1  # DYNAMIC_TOPIC_CONFIG, https://kafka.apache.org/protocol#The_Messages_DescribeConfigs
VISIBLE_S = 10.0  # a new topic is served in well below a second on a healthy cluster


class TopicDriftError(RuntimeError):
    """A live topic differs from the manifest. To continue could lose facts or their order."""


@dataclass(frozen=True, slots=True)
class LiveTopic:
    """A topic as it is in the cluster.

    `begin` is the low watermark of each partition; `overrides` are the settings of `config` that are the topic's own.
    """

    partitions: int
    config: dict[str, str]
    begin: dict[int, int]
    overrides: dict[str, str] = field(default_factory=dict)


async def create_topics(settings: Settings) -> list[str]:
    """Create the missing topics; return their names. Existing topics are not changed."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    created = []
    try:
        existing = set(await admin.list_topics())
        for topic in MANIFEST:
            if topic.name in existing:
                continue
            answer = await admin.create_topics(
                [
                    NewTopic(
                        topic.name,
                        settings.partitions,
                        settings.replication_factor,
                        topic_configs=topic.config(),
                    )
                ]
            )
            _raise_for(answer.topic_errors)
            created.append(topic.name)
        await _until_visible(admin)
    finally:
        await admin.close()
    return created


async def _until_visible(admin: AIOKafkaAdminClient) -> None:
    """Wait until every topic is served, which is after the answer to its creation. Raises TimeoutError."""
    names = [topic.name for topic in MANIFEST]
    async with asyncio.timeout(VISIBLE_S):
        while True:
            found = await admin.describe_topics(names)
            if all(not one["error_code"] and one["partitions"] for one in found):
                return
            await asyncio.sleep(0.05)


def _raise_for(topic_errors: list[tuple[object, ...]]) -> None:
    """Raise what the broker returned, unless another process was faster."""
    for name, code, *_ in topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(f"the topic {name} could not be created")


async def inspect(settings: Settings) -> dict[str, LiveTopic]:
    """The manifest's topics as they are in the cluster, without the missing ones."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    async with AsyncExitStack() as started:
        started.push_async_callback(admin.close)
        await admin.start()
        offsets = KafkaOffsets(settings)  # not before: a client that was never started is never closed
        await offsets.start()
        started.push_async_callback(offsets.stop)
        names = [topic.name for topic in MANIFEST]
        topics = await admin.describe_topics(names)
        _raise_if_hidden(topics)
        described = {found["topic"]: len(found["partitions"]) for found in topics if not found["error_code"]}
        configs = await _configs(admin, list(described))
        live = {}
        for topic in MANIFEST:
            if topic.name in described:
                whole = described[topic.name] == settings.partitions
                begin = await offsets.begin_offsets(topic) if whole else {}
                entries = configs[topic.name]
                live[topic.name] = LiveTopic(
                    described[topic.name],
                    {entry[0]: entry[1] for entry in entries},
                    begin,
                    {entry[0]: entry[1] for entry in entries if entry[3] == TOPIC_SETTING},
                )
        return live


def _raise_if_hidden(topics: list[dict[str, Any]]) -> None:
    """Raise TopicAuthorizationFailedError for topics that this account may not see."""
    hidden = [one["topic"] for one in topics if one["error_code"] == TopicAuthorizationFailedError.errno]
    if hidden:
        raise TopicAuthorizationFailedError(
            f"this account may not see {', '.join(hidden)}: run the commands of `piperoll topics acl`"
        )


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, list[tuple[Any, ...]]]:
    """The settings of each topic: name, value, whether it is read-only, its source, and more."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for name in names:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        for answer in answers:
            for resource in answer.resources:
                found[name] = list(resource[4])
    return found


def drift(topic: Topic, live: LiveTopic | None, partitions: int) -> list[str]:
    """The differences of a live topic, as sentences with the remedy. Pure."""
    if live is None:
        return [f"the topic {topic.name} does not exist: create it with `piperoll topics create`"]
    problems = []
    if live.partitions != partitions:
        problems.append(
            f"{topic.name} has {live.partitions} partitions, PIPEROLL_PARTITIONS is {partitions}: set the "
            "variable to the topic's number (never alter the topic: keys would move)"
        )
    for name, wanted in topic.config().items():
        if name in live.config and live.config[name] != wanted:
            problems.append(
                f"{topic.name} has {name}={live.config[name]}, it must be {wanted}: run `piperoll topics repair`"
            )
    if topic.retention_ms == FOR_EVER and any(live.begin.values()):
        cut = {part: offset for part, offset in live.begin.items() if offset}
        problems.append(f"{topic.name} lost its oldest records (low watermarks {cut}): the history is incomplete")
    return problems


async def check_topics(settings: Settings) -> list[str]:
    """The differences between the live topics and the manifest, as sentences; empty when there are none."""
    live = await inspect(settings)
    return [problem for topic in MANIFEST for problem in drift(topic, live.get(topic.name), settings.partitions)]


async def repair_topics(settings: Settings) -> list[str]:
    """Set the settings that the manifest fixes back; return the names of the topics that were changed.

    Other settings of a topic stay as they are. What a wrong retention has deleted meanwhile does not come back.
    """
    live = await inspect(settings)
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    changed = []
    try:
        for topic in MANIFEST:
            found = live.get(topic.name)
            if found is None or found.config | topic.config() == found.config:
                continue
            # Kafka resets what an alteration does not name, so that the topic's other settings are repeated.
            config = found.overrides | topic.config()
            answers = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, config)])
            for code, message, *_ in (resource for answer in answers for resource in answer.resources):
                if code:
                    raise for_code(code)(f"the topic {topic.name} could not be changed: {message}")
            changed.append(topic.name)
    finally:
        await admin.close()
    return changed
