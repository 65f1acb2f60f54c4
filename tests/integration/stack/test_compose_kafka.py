"""The Kafka of the compose file, from exactly its properties, and the accounts of the services in it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from piperoll.embedded.kafka import EmbeddedKafka
from piperoll.embedded.ports import HOST
from piperoll.log.kafka import client_options
from piperoll.log.topics.acl import read_rights
from piperoll.log.topics.admin import check_topics, create_topics
from piperoll.log.topics.rights import differences
from piperoll.settings import Settings
from schemas.topics import ENDPOINT_EVENTS, MANIFEST
from tests.support.stacks.acls import carry_out
from tests.support.stacks.installation import SERVICES

DEPLOY = Path(__file__).parents[3] / "deploy"
OF_THE_IMAGE = ("KAFKA_HEAP_OPTS",)
"""Variables that the image's programs read, and that are no properties."""


class ComposeKafka(EmbeddedKafka):
    """A node with the properties that the image makes of the variables of the compose file."""

    def __init__(self, folder: Path, variables: dict[str, str], environment: dict[str, str]) -> None:
        super().__init__(folder, "")
        self._variables = variables
        self._given = environment

    @property
    def environment(self) -> dict[str, str]:
        return {**self._given, "PIPEROLL_KAFKA_BOOTSTRAP": self.bootstrap}

    def _properties(self) -> dict[str, str]:
        found = {
            name.removeprefix("KAFKA_").lower().replace("_", "."): filled(text)
            for name, text in self._variables.items()
            if name.startswith("KAFKA_") and name not in OF_THE_IMAGE
        }
        here = {
            "listeners": f"CLIENTS://{HOST}:{self._port},CONTROLLER://{HOST}:{self._controller_port}",
            "advertised.listeners": f"CLIENTS://{HOST}:{self._port}",
            "controller.quorum.voters": f"1@{HOST}:{self._controller_port}",
            "log.dirs": str(self._home / "data"),
        }
        assert here.keys() <= found.keys()
        return found | here

    async def _admit_clients(self) -> None:
        """The passwords are in the properties."""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return found


async def test_the_operator_makes_the_topics_and_each_service_may_use_them(
    services: dict[str, Any], tmp_path: Path
) -> None:
    environment = {name: filled(text) for name, text in services["topics"]["environment"].items()}
    async with ComposeKafka(tmp_path, services["kafka"]["environment"], environment) as kafka:
        operator = Settings.from_environment(kafka.environment)
        assert len(await create_topics(operator)) == len(MANIFEST)
        stranger = operator.model_copy(update={"kafka_username": "stranger"})
        with pytest.raises(KafkaError):
            await check_topics(stranger)
        script = (DEPLOY / "rights.sh").read_text(encoding="utf-8")
        await carry_out(operator, [line for line in script.splitlines() if line.startswith("kafka-acls.sh ")])
        assert differences(await read_rights(operator), operator.kafka_principals) == ([], [])
        for service in SERVICES:
            given = {name: filled(text) for name, text in services[service]["environment"].items()}
            settings = Settings.from_environment({**given, "PIPEROLL_KAFKA_BOOTSTRAP": kafka.bootstrap})
            assert await check_topics(settings) == []
            assert await may_write_endpoints(settings) == (service == "api")


async def may_write_endpoints(settings: Settings) -> bool:
    """Whether an account may write to the topic that the API alone writes to."""
    producer = AIOKafkaProducer(**client_options(settings))
    await producer.start()
    try:
        await producer.send_and_wait(ENDPOINT_EVENTS.name, b"{}", key=b"endpoint")
    except TopicAuthorizationFailedError:
        return False
    finally:
        await producer.stop()
    return True


def filled(text: str) -> str:
    """A value with each variable of deploy/.env filled in, each with another text."""
    key = f"k1:{'A' * 43}="
    return re.sub(r"\$\{(\w+)[^}]*\}", lambda found: key if "SEAL" in found[1] else found[1].lower(), text)
