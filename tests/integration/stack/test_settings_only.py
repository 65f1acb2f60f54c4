"""An installation for production: the four services as plain processes; settings alone name Kafka, Postgres and the
blobs. `piperoll up` has no part in it; the topics and the API key are made by the commands an operator uses.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from piperoll.embedded.kafka import EmbeddedKafka
from piperoll.embedded.ports import free_port
from piperoll.embedded.postgres import EmbeddedPostgres
from tests.support.files.pdf import pdf
from tests.support.servers.receiver import Receiver
from tests.support.waiting import PATIENCE_S, wait_until

SERVICES = ("api", "worker", "projector", "notifier")
PARTITIONS = random.Random(20261122).randint(2, 30)
READY_S = 60.0
SEALING_KEY = "k1:" + "A" * 43 + "="


@dataclass(frozen=True)
class Installation:
    """What an operator has: settings as environment variables, a folder for logs, a health port for each service."""

    environment: dict[str, str]
    logs: Path
    health_ports: dict[str, int]

    def command(self, *arguments: str) -> str:
        """What a command prints on standard output."""
        argv = [sys.executable, "-m", "piperoll", *arguments]
        done = subprocess.run(argv, env=self.environment, cwd=self.logs, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self, service: str) -> "subprocess.Popen[bytes]":
        own = {"PIPEROLL_HEALTH_PORT": str(self.health_ports[service])}
        with (self.logs / f"{service}.log").open("wb") as log:
            argv = [sys.executable, "-m", "piperoll", service]
            return subprocess.Popen(argv, env={**self.environment, **own}, cwd=self.logs, stdout=log, stderr=log)

    def log(self, service: str) -> str:
        return (self.logs / f"{service}.log").read_text(errors="replace")[-3000:]


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
    created = installation.command("topics", "create")
    assert f"{PARTITIONS} partitions" in created
    installation.command("topics", "check")
    running = {service: installation.start(service) for service in SERVICES}
    try:
        async with httpx.AsyncClient(trust_env=False) as anyone:
            for service in SERVICES:
                await _ready(installation, service, running[service], anyone)
        await _do_a_job(installation, tmp_path)
        for process in running.values():
            process.send_signal(signal.SIGTERM)
        ends = {service: await asyncio.to_thread(process.wait, PATIENCE_S) for service, process in running.items()}
        assert ends == dict.fromkeys(SERVICES, 0)
        cut_off = [service for service in SERVICES if "drain_cut_off" in installation.log(service)]
        assert not cut_off, "these did not end by themselves"
    finally:
        for process in running.values():
            process.kill()
            process.wait()


async def _ready(
    installation: Installation, service: str, process: "subprocess.Popen[bytes]", client: httpx.AsyncClient
) -> None:
    """Waits until a service reports that it is ready, on the port that it was given; it shows metrics there too."""
    origin = f"http://127.0.0.1:{installation.health_ports[service]}"

    async def ready() -> bool:
        assert process.poll() is None, f"{service} ended:\n{installation.log(service)}"
        return (await client.get(f"{origin}/health/ready")).status_code == 200

    await wait_until(ready, READY_S, f"{service} to be ready", not_yet=(httpx.TransportError,))
    metrics = (await client.get(f"{origin}/metrics")).text
    assert 'piperoll_service_info{instance="' in metrics
    assert f'service="{service}"' in metrics


async def _do_a_job(installation: Installation, folder: Path) -> None:
    """Uploads a PDF with a key that the command made, and reads the outcome from the API and from the webhook."""
    key = installation.command("keys", "create", "--owner", "acme")
    base_url = f"http://127.0.0.1:{installation.environment['PIPEROLL_API_PORT']}"
    headers = {"Authorization": f"Bearer {key}"}
    document = pdf(folder / "three.pdf", pages=3)
    async with httpx.AsyncClient(base_url=base_url, headers=headers, trust_env=False) as client, Receiver() as receiver:
        with document.open("rb") as file:
            uploaded = (await client.post("/api/files", files={"file": file})).json()["data"]
        webhook = {"url": receiver.url("/hook"), "token": "between us", "jobId": "mine"}
        body = {"job_type": "pdf", "parameters": {"filename": uploaded["filename"], "webhook": webhook}}
        job_id = (await client.post("/api/jobs/", json=body)).json()["data"]["job_id"]

        async def ended() -> dict[str, object] | None:
            job = (await client.get(f"/api/jobs/{job_id}", params={"wait": 5})).json()["data"]
            return job if job["status"] in ("completed", "failed") else None

        job = await wait_until(ended, READY_S, "the job to end")
        assert job["status"] == "completed", job
        assert "This is page 3." in job["results"]["structured_data"]["extracted_text"]  # type: ignore[index]
        hook = await receiver.wait_for(lambda came: [one for one in came.received if b"completed" in one.body])
        assert hook[-1].headers["Authorization"] == "Bearer between us"
        assert hook[-1].json["job"] == {"id": "mine"}
