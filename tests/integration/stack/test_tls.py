"""Kafka and Postgres over TLS: clients check the server, and show a certificate or a password."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from piperoll.embedded.stack import Stack
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.topics.admin import check_topics, create_topics
from piperoll.postgres import POSTGRES_AWAY, connect, connect_pool
from piperoll.settings import Settings
from tests.support.clients.commands import piperoll
from tests.support.servers.authority import Authority, Issued
from tests.support.servers.tls_front import TlsFront
from tests.support.stacks.guarded_kafka import GuardedKafka


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
async def kafka(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GuardedKafka]:
    async with GuardedKafka(tmp_path_factory.mktemp("guarded"), authority) as running:
        await create_topics(settings(running.environment))
        yield running


def settings(environment: dict[str, str]) -> Settings:
    return Settings.from_environment({"PIPEROLL_REPLICATION_FACTOR": "1", "PIPEROLL_PARTITIONS": "3", **environment})


async def test_a_client_with_a_password_over_tls_is_served(kafka: GuardedKafka) -> None:
    assert await check_topics(settings(kafka.with_password())) == []


async def test_a_certificate_without_rights_is_known_and_sees_no_topic(
    kafka: GuardedKafka, authority: Authority
) -> None:
    access = kafka.with_certificate(authority.issue("stranger"))
    with pytest.raises(TopicAuthorizationFailedError, match="piperoll topics acl"):
        await check_topics(settings(access))


async def test_an_encrypted_key_and_a_file_of_both_are_read(kafka: GuardedKafka, authority: Authority) -> None:
    issued = authority.issue("careful", "open sesame")
    access = {**kafka.with_certificate(issued), "PIPEROLL_KAFKA_KEY_PASSWORD": "open sesame"}
    for variant in (access, {**access, "PIPEROLL_KAFKA_CERTIFICATE": str(issued.both), "PIPEROLL_KAFKA_KEY": ""}):
        assert await reached(variant)


async def test_certificates_that_do_not_fit_are_refused_by_either_side(
    kafka: GuardedKafka, authority: Authority, tmp_path: Path
) -> None:
    good = kafka.with_certificate(authority.issue("api"))
    other = Authority(tmp_path)
    foreign = other.issue("api")
    files = {"PIPEROLL_KAFKA_CERTIFICATE": str(foreign.certificate), "PIPEROLL_KAFKA_KEY": str(foreign.key)}
    none = {"PIPEROLL_KAFKA_CERTIFICATE": "", "PIPEROLL_KAFKA_KEY": ""}
    assert await reached(good)
    for wrong in (files, none, {"PIPEROLL_KAFKA_CA": str(other.ca)}, {"PIPEROLL_KAFKA_CA": ""}):
        assert not await reached({**good, **wrong}), wrong
    by_name = str(good["PIPEROLL_KAFKA_BOOTSTRAP"]).replace("127.0.0.1", "localhost")
    assert not await reached({**good, "PIPEROLL_KAFKA_BOOTSTRAP": by_name}), "the certificate is for another name"


async def test_a_command_names_the_file_that_cannot_be_used(kafka: GuardedKafka, authority: Authority) -> None:
    good, broken = kafka.with_certificate(authority.issue("operator")), str(authority.ca)
    mixed = await piperoll("topics", "check", folder=None, **{**good, "PIPEROLL_KAFKA_KEY": broken})
    absent = await piperoll("topics", "check", folder=None, **{**good, "PIPEROLL_KAFKA_CA": "/nowhere/ca.pem"})
    bare = await piperoll("topics", "check", folder=None, **{**good, "PIPEROLL_KAFKA_SECURITY": "PLAINTEXT"})
    assert (mixed.code, absent.code, bare.code) == (1, 1, 1)
    assert "PIPEROLL_KAFKA_KEY_PASSWORD" in mixed.err
    assert "PIPEROLL_KAFKA_CA: Value error, /nowhere/ca.pem cannot be read" in absent.err
    assert "needs PIPEROLL_KAFKA_SECURITY SSL or SASL_SSL" in bare.err


@pytest.fixture
async def front(stack: Stack, authority: Authority) -> AsyncIterator[TlsFront]:
    """TLS before the Postgres of the session."""
    port = urlsplit(stack.postgres.dsn()).port
    assert port is not None
    async with TlsFront(port, authority) as running:
        yield running


async def test_postgres_is_reached_with_a_certificate_that_its_connection_string_names(
    stack: Stack, front: TlsFront, authority: Authority, tmp_path: Path
) -> None:
    mine, other = authority.issue("notifier"), Authority(tmp_path)
    foreign = other.issue("notifier")
    pool = await connect_pool(over_tls(stack, front, authority.ca, mine))
    assert await pool.fetchval("SELECT 7") == 7
    await pool.close()
    listening = await connect(over_tls(stack, front, authority.ca, mine), "a listener")
    await listening.close()
    for wrong in (over_tls(stack, front, other.ca, mine), over_tls(stack, front, authority.ca, foreign)):
        with pytest.raises(POSTGRES_AWAY):  # one end or the other closes the connection
            await connect(wrong, "refused")
    assert front.names == ["notifier", "notifier"], "no other one was let in"


async def test_a_postgres_without_tls_is_refused_where_tls_is_demanded(stack: Stack) -> None:
    with pytest.raises(OSError, match="SSL"):
        await connect(f"{stack.postgres.dsn()}?sslmode=require", "refused")


def over_tls(stack: Stack, front: TlsFront, ca: Path, issued: Issued) -> str:
    """The connection string of the session's database through the front."""
    plain = urlsplit(stack.postgres.dsn())
    files = {"sslrootcert": ca, "sslcert": issued.certificate, "sslkey": issued.key}
    query = urlencode({"sslmode": "verify-full", **files})
    return plain._replace(netloc=f"{plain.username}:{plain.password}@127.0.0.1:{front.port}", query=query).geturl()


async def reached(environment: dict[str, str]) -> bool:
    """Whether a client is served."""
    client = KafkaOffsets(settings(environment))
    try:
        await client.start()
    except KafkaError:
        return False
    try:
        return bool(await client.cluster_id())
    finally:
        await client.stop()
