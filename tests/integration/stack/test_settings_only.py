"""An installation for production: the four services as plain processes; settings alone name Kafka, Postgres and the
blobs. `piperoll up` has no part in it; the topics and the API key are made by the commands an operator uses.
"""

import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from piperoll.embedded.kafka import EmbeddedKafka
from piperoll.embedded.ports import free_port
from piperoll.embedded.postgres import EmbeddedPostgres
from tests.support.stacks.installation import SERVICES, Installation, end

PARTITIONS = random.Random(20261122).randint(2, 30)
SEALING_KEY = "k1:" + "A" * 43 + "="


@pytest.fixture(scope="module")
async def installation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    elsewhere, here = tmp_path_factory.mktemp("elsewhere"), tmp_path_factory.mktemp("here")
    taken = [free_port() for _ in (*SERVICES, "listen")]
    async with AsyncExitStack() as stores:
        kafka = await stores.enter_async_context(EmbeddedKafka(elsewhere, "one-more-password"))
        postgres = await stores.enter_async_context(EmbeddedPostgres(elsewhere, "another password"))
        await postgres.create_database("documents")
        environment = {
            "PATH": os.environ["PATH"],
            **kafka.environment,
            "PIPEROLL_POSTGRES_DSN": postgres.dsn("documents"),
            "PIPEROLL_BLOB_URL": (here / "blobs").as_uri(),
            "PIPEROLL_PARTITIONS": str(PARTITIONS),
            "PIPEROLL_REPLICATION_FACTOR": "1",
            "PIPEROLL_API_PORT": str(taken[-1]),
            "PIPEROLL_SEAL_KEYS": SEALING_KEY,
            "PIPEROLL_KEY_PEPPER": "another pepper",
            "PIPEROLL_SLOTS": "1",
            "PIPEROLL_SESSION_TIMEOUT_S": "10",
            "PIPEROLL_ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8",
        }
        yield Installation(environment, here, dict(zip(SERVICES, taken, strict=False)))


async def test_settings_alone_make_an_installation_that_does_a_job_and_ends_in_good_order(
    installation: Installation, tmp_path: Path
) -> None:
    created = await installation.command("topics", "create")
    assert f"{PARTITIONS} partitions" in created
    await installation.command("topics", "check")
    running = {service: installation.start(service) for service in SERVICES}
    try:
        for service in SERVICES:
            await installation.ready(service, running[service])
        async with installation.client(await installation.command("keys", "create", "--owner", "acme")) as client:
            await installation.do_a_job(client, tmp_path)
        assert await end(running) == dict.fromkeys(SERVICES, 0)
        cut_off = [service for service in SERVICES if "drain_cut_off" in installation.log(service)]
        assert not cut_off, "these did not end by themselves"
    finally:
        for process in running.values():
            process.kill()
            process.wait()
