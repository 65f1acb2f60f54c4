"""The four services with the rights that `piperoll topics acl` gives them, over TLS with a certificate each."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError

from piperoll.embedded.ports import free_port
from piperoll.embedded.postgres import EmbeddedPostgres
from piperoll.log.kafka import client_options
from piperoll.log.producer import KafkaAppender
from piperoll.log.topics.rights import IMPLIED_BY, Right, rights_of
from piperoll.settings import Settings
from schemas.topics import DOCUMENT_EVENTS, ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS
from services.api.system.views import letter_id
from tests.support.clients.commands import Ended, piperoll
from tests.support.poison.misplaced import misplaced_job
from tests.support.servers.authority import Authority
from tests.support.servers.receiver import Receiver
from tests.support.servers.tls_front import TlsFront
from tests.support.stacks.acls import carry_out
from tests.support.stacks.guarded_kafka import PRINCIPALS, GuardedKafka
from tests.support.stacks.installation import SERVICES, Installation, completed, end
from tests.support.waiting import PATIENCE_S, NeverHappenedError, wait_until


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
async def kafka(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GuardedKafka]:
    async with GuardedKafka(tmp_path_factory.mktemp("guarded"), authority) as running:
        yield running


@pytest.fixture(scope="module")
async def installation(
    kafka: GuardedKafka, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """Settings of the operator, whose account may do all, and of each service."""
    here = tmp_path_factory.mktemp("here")
    taken = [free_port() for _ in (*SERVICES, "listen")]
    async with AsyncExitStack() as stores:
        postgres = await stores.enter_async_context(EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), "secret"))
        await postgres.create_database("documents")
        plain = urlsplit(postgres.dsn("documents"))
        assert plain.port is not None
        front = await stores.enter_async_context(TlsFront(plain.port, authority))
        mine = authority.issue("postgres-client")
        query = urlencode(
            {
                "sslmode": "verify-full",
                "sslrootcert": authority.ca,
                "sslcert": mine.certificate,
                "sslkey": mine.key,
            }
        )
        dsn = plain._replace(netloc=f"{plain.username}:{plain.password}@127.0.0.1:{front.port}", query=query).geturl()
        environment = {
            "PATH": "/usr/bin:/bin",
            **kafka.with_password(),
            "PIPEROLL_KAFKA_PRINCIPALS": PRINCIPALS,
            "PIPEROLL_POSTGRES_DSN": dsn,
            "PIPEROLL_BLOB_URL": (here / "blobs").as_uri(),
            "PIPEROLL_PARTITIONS": "3",
            "PIPEROLL_REPLICATION_FACTOR": "1",
            "PIPEROLL_API_PORT": str(taken[-1]),
            "PIPEROLL_SEAL_KEYS": "k1:" + "A" * 43 + "=",
            "PIPEROLL_KEY_PEPPER": "another pepper",
            "PIPEROLL_SLOTS": "1",
            "PIPEROLL_SESSION_TIMEOUT_S": "10",
            "PIPEROLL_ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8",
        }
        own = {name: kafka.with_certificate(authority.issue(f"piperoll-{name}")) for name in SERVICES}
        yield Installation(environment, here, dict(zip(SERVICES, taken, strict=False)), own)


async def test_each_service_works_with_its_rights_and_uses_each_of_them(
    installation: Installation, kafka: GuardedKafka, tmp_path: Path
) -> None:
    operator = Settings.from_environment(installation.environment)
    await installation.command("topics", "create")
    before = await doctor(installation)
    await carry_out(operator, (await installation.command("topics", "acl")).splitlines())
    after = await doctor(installation)
    assert "lacks" in line_of(before)
    assert line_of(after).startswith("ok")

    running = {service: installation.start(service) for service in SERVICES}
    try:
        for service in SERVICES:
            await installation.ready(service, running[service])
        async with installation.client(await installation.command("keys", "create", "--owner", "acme")) as client:
            await use_everything(client, installation, operator, tmp_path)
        admin = await installation.command("keys", "create", "--owner", "acme", "--scopes", "admin")
        async with installation.client(admin) as client:
            assert (await client.get("/api/audit")).status_code == 200
            await redrive_from_every_topic(client, operator)
        with suppress(NeverHappenedError):
            await wait_until(lambda: unused(kafka) == {}, PATIENCE_S, "each service to use each of its rights")
        assert unused(kafka) == {}
        assert await end(running) == dict.fromkeys(SERVICES, 0)
    finally:
        for process in running.values():
            process.kill()
            process.wait()
    for service in SERVICES:
        used = kafka.audited()[PRINCIPALS.replace("{service}", service)]
        assert [right for right, allowed in used.items() if not allowed] == [], service
        beyond = set(used) - rights_of(service)
        assert {right for right in beyond if not is_implied(right, service)} == set(), service


async def test_a_service_cannot_write_what_is_not_its_own(installation: Installation) -> None:
    settings = Settings.from_environment({**installation.environment, **installation.own["worker"]})
    producer = AIOKafkaProducer(**client_options(settings))
    await producer.start()
    try:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(ENDPOINT_EVENTS.name, b"{}", key=b"endpoint")
    finally:
        await producer.stop()


async def use_everything(
    client: httpx.AsyncClient, installation: Installation, operator: Settings, folder: Path
) -> None:
    """Makes each service write to each of its topics."""
    job_id = await installation.do_a_job(client, folder)
    assert (await client.post(f"/api/jobs/{job_id}/deliveries/redeliver")).status_code in (200, 202)
    async with Receiver() as receiver:
        endpoint = {"url": receiver.url("/endpoint"), "statuses": ["DONE"]}
        assert (await client.post("/v1/webhooks", json=endpoint)).status_code == 200
        added = await client.post("/v1/documents", files={"file": ("note.txt", b"A note.", "text/plain")})
        assert added.status_code == 200, added.text
        uploaded = (await client.post("/api/files", files={"file": ("more.txt", b"More.")})).json()["data"]
        body = {"job_type": "import", "parameters": {"items": [{"filename": uploaded["filename"]}]}}
        await completed(client, (await client.post("/api/jobs/", json=body)).json()["data"]["job_id"])
    appender = KafkaAppender(operator, "a foreign writer")
    await appender.start()
    try:
        await appender.append_raw(JOB_EVENTS, b"job-unreadable", b"not JSON", [])
    finally:
        await appender.stop()


async def redrive_from_every_topic(client: httpx.AsyncClient, operator: Settings) -> None:
    """Has the API read a parked record of each topic, which cannot be used, and put back one that can."""
    appender = KafkaAppender(operator, "a foreign writer")
    await appender.start()
    try:
        for topic in (JOB_EVENTS, JOB_DELIVERIES, DOCUMENT_EVENTS, ENDPOINT_EVENTS):
            place = await appender.append_raw(topic, b"unreadable", b"not JSON", [])
            assert (await redriven(client, letter_id(topic.name, place))).status_code == 409
    finally:
        await appender.stop()
    place = await misplaced_job(operator, "job-misplaced", "acme")
    assert (await redriven(client, letter_id(JOB_EVENTS.name, place))).status_code == 200


async def redriven(client: httpx.AsyncClient, letter: str) -> httpx.Response:
    """The answer to a redrive, once the record is a dead letter."""

    async def is_parked() -> bool:
        found = (await client.get("/api/system")).json()["data"]
        return found["unknown"] == {} and letter in [one["id"] for one in found["dead_letters"]["newest"]]

    await wait_until(is_parked, PATIENCE_S, f"{letter} to be parked")
    return await client.post(f"/api/system/dead-letters/{letter}/redrive")


def unused(kafka: GuardedKafka) -> dict[str, list[str]]:
    """The rights that a service has not used yet, as text."""
    used = kafka.audited()
    left = {name: rights_of(name) - set(used.get(PRINCIPALS.replace("{service}", name), ())) for name in SERVICES}
    return {name: sorted(map(str, rights)) for name, rights in left.items() if rights}


def is_implied(right: Right, service: str) -> bool:
    """Whether another right of the service includes this one."""
    wider = IMPLIED_BY.get(right.operation, ())
    return any(Right(operation, right.kind, right.name) in rights_of(service) for operation in wider)


async def doctor(installation: Installation) -> Ended:
    return await piperoll("doctor", folder=None, **installation.environment)


def line_of(ended: Ended) -> str:
    """The first line of the doctor about ACLs."""
    return next(line.strip() for line in ended.out.splitlines() if "Kafka's ACLs" in line)
