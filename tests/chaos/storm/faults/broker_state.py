"""What a foreign hand changes at the broker: the settings of a topic, and the committed offsets of a service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.protocol.admin import DeleteGroupsRequest

from piperoll.log.kafka import client_options
from schemas.topics import MANIFEST
from tests.chaos.storm.faults.records import TOPICS
from tests.chaos.storm.faults.scene import PromiseBrokenError, Scene, kafka_answers
from tests.support.clients.commands import piperoll
from tests.support.waiting import NeverHappenedError, wait_until

DRIFTS = {"retention.ms": "86400000", "cleanup.policy": "compact", "retention.bytes": "1073741824"}
"""None of them deletes a record within the minute until it is put right."""
NOTICED_S = 120.0
GONE = frozenset({0, 69})  # NONE, GROUP_ID_NOT_FOUND: https://kafka.apache.org/protocol#protocol_error_codes


async def change_topic_settings(scene: Scene) -> str:
    """Readiness and the doctor must name the change, and the documented command must put it right."""
    topic = scene.chances.choice(TOPICS)
    name = scene.chances.choice(sorted(DRIFTS))
    async with _admin(scene) as admin:
        changed = {**topic.config(), name: DRIFTS[name]}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, changed)])
    sentence = f"{topic.name} has {name}={DRIFTS[name]}"
    await _wait_for_readiness(scene, sentence, named=True)
    folder = scene.system.stack.data_dir
    examined = await piperoll("doctor", folder=folder)
    if sentence not in " ".join(examined.out.split()):
        raise PromiseBrokenError(f"the doctor does not name it: {sentence}")
    repaired = await piperoll("topics", "repair", folder=folder)
    if repaired.code:
        raise PromiseBrokenError(f"`piperoll topics repair` ended with {repaired.code}: {repaired.err}")
    await _wait_for_readiness(scene, sentence, named=False)
    return f"{sentence}, until it was repaired"


async def delete_committed_offsets(scene: Scene) -> str:
    """Delete the consumer groups of one service, while its processes are stopped: Kafka refuses it before."""
    service = scene.chances.choice(["worker", "projector", "notifier"])
    groups = [group for topic in MANIFEST for group in topic.groups if group.split(".")[1] == service]
    processes = (service, f"{service}-1")
    for process in processes:
        await scene.system.stack.stop_service(process)
    try:
        async with _admin(scene) as admin:
            await wait_until(lambda: _deleted(admin, groups), 60, f"the groups {groups} to be deleted")
    finally:
        for process in processes:
            await scene.system.stack.start_service(process)
    return f"the committed offsets of {len(groups)} groups of the {service} were deleted"


async def _deleted(admin: AIOKafkaAdminClient, groups: list[str]) -> bool:
    """Whether all are gone; a group with members remains until their sessions have expired."""
    # aiokafka knows the request and has no method for it.
    answer = await admin._send_request(DeleteGroupsRequest(groups))
    return all(code in GONE for _, code in answer.results)


async def _wait_for_readiness(scene: Scene, sentence: str, *, named: bool) -> None:
    async def reached() -> bool:
        return (sentence in (await scene.system.client.get("/api/health/ready")).text) == named

    try:
        await wait_until(reached, NOTICED_S, "readiness", not_yet=(httpx.TransportError,))
    except NeverHappenedError:
        verb = "does not name" if named else "still names"
        raise PromiseBrokenError(f"readiness {verb} it after {NOTICED_S:.0f} s: {sentence}") from None


@asynccontextmanager
async def _admin(scene: Scene) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**client_options(scene.system.settings))
    await kafka_answers(admin.start)
    try:
        yield admin
    finally:
        await admin.close()
