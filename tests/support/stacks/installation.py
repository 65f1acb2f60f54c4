"""The four services as plain processes, as an operator runs them: settings alone name the stores."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support.clients.commands import piperoll
from tests.support.files.pdf import pdf
from tests.support.servers.receiver import Receiver
from tests.support.waiting import PATIENCE_S, wait_until

Json = dict[str, Any]
SERVICES = ("api", "worker", "projector", "notifier")
READY_S = 60.0


@dataclass(frozen=True)
class Installation:
    """What an operator has: settings as environment variables, a folder for logs, a health port for each service.

    `own` are settings of one service by its name.
    """

    environment: dict[str, str]
    logs: Path
    health_ports: dict[str, int]
    own: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    async def command(self, *arguments: str) -> str:
        """What a command prints on standard output."""
        done = await piperoll(*arguments, folder=None, **self.environment)
        assert done.code == 0, done.err
        return done.out.strip()

    def start(self, service: str) -> "subprocess.Popen[bytes]":
        own = {**self.own.get(service, {}), "PIPEROLL_HEALTH_PORT": str(self.health_ports[service])}
        with (self.logs / f"{service}.log").open("wb") as log:
            argv = [sys.executable, "-m", "piperoll", service]
            return subprocess.Popen(argv, env={**self.environment, **own}, cwd=self.logs, stdout=log, stderr=log)

    def log(self, service: str) -> str:
        return (self.logs / f"{service}.log").read_text(errors="replace")[-3000:]

    def client(self, key: str) -> httpx.AsyncClient:
        base_url = f"http://127.0.0.1:{self.environment['PIPEROLL_API_PORT']}"
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(base_url=base_url, headers=headers, trust_env=False, timeout=70)

    async def ready(self, service: str, process: "subprocess.Popen[bytes]") -> None:
        """Waits until a service reports that it is ready, on the port that it was given; it shows metrics there too."""
        origin = f"http://127.0.0.1:{self.health_ports[service]}"
        async with httpx.AsyncClient(trust_env=False) as client:

            async def ready() -> bool:
                assert process.poll() is None, f"{service} ended:\n{self.log(service)}"
                return (await client.get(f"{origin}/health/ready")).status_code == 200

            await wait_until(ready, READY_S, f"{service} to be ready", not_yet=(httpx.TransportError,))
            metrics = (await client.get(f"{origin}/metrics")).text
        assert 'piperoll_service_info{instance="' in metrics
        assert f'service="{service}"' in metrics

    async def do_a_job(self, client: httpx.AsyncClient, folder: Path) -> str:
        """Uploads a PDF, and reads the outcome from the API and from the webhook; answers the job's id."""
        document = pdf(folder / "three.pdf", pages=3)
        async with Receiver() as receiver:
            with document.open("rb") as file:
                uploaded = (await client.post("/api/files", files={"file": file})).json()["data"]
            webhook = {"url": receiver.url("/hook"), "token": "between us", "jobId": "mine"}
            body = {"job_type": "pdf", "parameters": {"filename": uploaded["filename"], "webhook": webhook}}
            job_id = str((await client.post("/api/jobs/", json=body)).json()["data"]["job_id"])
            job = await completed(client, job_id)
            assert "This is page 3." in job["results"]["structured_data"]["extracted_text"]
            hook = await receiver.wait_for(lambda came: [one for one in came.received if b"completed" in one.body])
            assert hook[-1].headers["Authorization"] == "Bearer between us"
            assert hook[-1].json["job"] == {"id": "mine"}
        return job_id


async def completed(client: httpx.AsyncClient, job_id: str) -> Json:
    """A job once it has ended well."""

    async def ended() -> Json | None:
        job: Json = (await client.get(f"/api/jobs/{job_id}", params={"wait": 5})).json()["data"]
        return job if job["status"] in ("completed", "failed") else None

    job = await wait_until(ended, READY_S, "the job to end")
    assert job is not None
    assert job["status"] == "completed", job
    return job


async def end(running: Mapping[str, "subprocess.Popen[bytes]"]) -> dict[str, int]:
    """Stops processes in good order; answers their exit statuses."""
    for process in running.values():
        process.send_signal(signal.SIGTERM)
    return {service: await asyncio.to_thread(process.wait, PATIENCE_S) for service, process in running.items()}
