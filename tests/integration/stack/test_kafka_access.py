"""Who may use the embedded Kafka: those with the password of the data folder."""

import secrets
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError, SaslAuthenticationFailed
from aiokafka.protocol.admin import ListGroupsRequest

from piperoll.embedded.kafka import EmbeddedKafka
from piperoll.embedded.ports import HOST, PortBook
from piperoll.embedded.private import load_secrets
from piperoll.embedded.properties import server_properties
from piperoll.embedded.stack import Stack
from piperoll.log.kafka import client_options
from piperoll.settings import Settings

LISTENERS = {"kafka": "SCRAM-SHA-512", "kafka-controller": "PLAIN"}
"""The mechanism of each listener, by the name of its port."""


@pytest.mark.parametrize("listener", LISTENERS)
async def test_a_client_without_the_password_is_refused(stack: Stack, listener: str) -> None:
    port, mechanism = PortBook(stack.data_dir)._read()[listener], LISTENERS[listener]
    for user, password in (("piperoll", "a guess"), ("piperoll", ""), ("admin", "a guess")):
        with pytest.raises(SaslAuthenticationFailed):
            await create_conn(
                HOST,
                port,
                security_protocol="SASL_PLAINTEXT",
                sasl_mechanism=mechanism,
                sasl_plain_username=user,
                sasl_plain_password=password,
            )
    bare = await create_conn(HOST, port)  # the versions of requests are answered to everyone
    try:
        with pytest.raises(KafkaError):
            await bare.send(ListGroupsRequest())
    finally:
        bare.close()


async def test_the_password_is_in_private_files_alone(stack: Stack) -> None:
    password = load_secrets(stack.data_dir).kafka_password
    assert len(password) >= 32
    assert not any(password in part for part in psutil.Process(stack.pid("kafka")).cmdline())
    found = {}
    for path in stack.data_dir.rglob("*"):
        with suppress(FileNotFoundError):  # Postgres removes files meanwhile
            if path.is_file() and path.stat().st_size < 2**20 and password.encode() in path.read_bytes():
                found[path.name] = path.stat().st_mode & 0o777
    assert found == {"secrets.json": 0o600, "server.properties": 0o600, "stack.json": 0o600}


class OlderKafka(EmbeddedKafka):
    """A node as it was before it had a password."""

    @property
    def environment(self) -> dict[str, str]:
        return {"PIPEROLL_KAFKA_BOOTSTRAP": self.bootstrap}

    def _properties(self) -> dict[str, str]:
        now = server_properties(self._home / "data", self._port, self._controller_port, "unused")
        return {name: value for name, value in now.items() if "sasl" not in name} | {
            "listeners": f"PLAINTEXT://{HOST}:{self._port},CONTROLLER://{HOST}:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{self._port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
        }

    async def _admit_clients(self) -> None:
        pass


async def topics(kafka: EmbeddedKafka, *new: str) -> set[str]:
    """The topics of a node after some more were created."""
    admin = AIOKafkaAdminClient(**client_options(Settings.from_environment(kafka.environment)))
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1) for name in new])
        return set(await admin.list_topics())
    finally:
        await admin.close()


async def test_a_node_of_before_the_password_keeps_its_topics_and_gets_the_password(tmp_path: Path) -> None:
    async with OlderKafka(tmp_path, "") as older:
        assert await topics(older, "kept") >= {"kept"}
    first, second = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    async with EmbeddedKafka(tmp_path, first) as now:
        assert await topics(now, "more") >= {"kept", "more"}
    async with EmbeddedKafka(tmp_path, second) as later:  # as when the secrets are restored from elsewhere
        assert await topics(later) >= {"kept", "more"}
