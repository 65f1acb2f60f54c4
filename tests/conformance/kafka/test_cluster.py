"""The cluster, its topics, and clients without a broker."""

import asyncio
import gc
import socket

import pytest
from aiokafka.errors import KafkaConnectionError

from piperoll.log.consumer import PartitionConsumer
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.topics.admin import TopicDriftError, check_topics, create_topics, inspect
from piperoll.log.topics.watch import TopicWatch
from piperoll.settings import Settings
from schemas.topics import MANIFEST, Topic
from tests.support.kafka import nothing_read
from tests.support.stacks.reading import Bookkeeper


async def test_the_cluster_has_one_id(settings: Settings, offsets: KafkaOffsets) -> None:
    found = await offsets.cluster_id()
    assert len(found) >= 16
    assert found == await offsets.cluster_id()


async def test_the_identity_of_a_log_has_the_id_of_each_topic_that_services_read(
    settings: Settings, offsets: KafkaOffsets
) -> None:
    await create_topics(settings)
    found = await offsets.identity()
    assert found.cluster_id == await offsets.cluster_id()
    assert found.topics.keys() == {topic.name for topic in MANIFEST if topic.groups}
    assert len(set(found.topics.values())) == len(found.topics)
    assert found == await offsets.identity()


async def test_topics_as_they_were_made_show_no_drift(settings: Settings) -> None:
    assert await create_topics(settings) == []
    assert await check_topics(settings) == []
    await TopicWatch(settings).begin()


async def test_another_number_of_partitions_is_refused_by_name(environment: dict[str, str]) -> None:
    mistaken = Settings.from_environment({**environment, "PIPEROLL_PARTITIONS": "7"})
    with pytest.raises(TopicDriftError, match=r"jobs\.events\.v1 has 6 partitions, PIPEROLL_PARTITIONS is 7"):
        await TopicWatch(mistaken).begin()


@pytest.mark.filterwarnings("error::ResourceWarning")
async def test_without_a_broker_every_client_fails_with_a_reason_and_leaves_nothing_open(
    environment: dict[str, str], topic: Topic
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        nowhere = Settings.from_environment(
            {**environment, "PIPEROLL_KAFKA_BOOTSTRAP": f"127.0.0.1:{taken.getsockname()[1]}"}
        )
        reader = Bookkeeper(nothing_read(nowhere))
        for start in (
            KafkaAppender(nowhere, "nowhere").start,
            KafkaOffsets(nowhere).start,
            lambda: inspect(nowhere),
            lambda: PartitionConsumer(nowhere, "nowhere", topic, reader).run(asyncio.Event()),
        ):
            with pytest.raises(KafkaConnectionError):
                await start()
    gc.collect()
