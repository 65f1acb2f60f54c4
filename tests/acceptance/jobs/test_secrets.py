"""Secrets of every kind are searched for where they must not be: logs, events, blobs, answers, metrics, processes."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest

from piperoll.service_secrets import ALL, USERS
from tests.support.servers.mistral import KEY as MISTRAL_KEY
from tests.support.stacks.system import System

TOKEN = f"canary-token-{uuid4().hex}"
HIDDEN_ANSWERS = ("/api/jobs/", "/api/jobs/batches", "/api/keys", "/api/webhooks/deliveries", "/api/swagger.json")


@dataclass(frozen=True)
class Trial:
    """Secrets by kind, and a job that used those that a job uses."""

    secrets: Mapping[str, str]
    job_id: str


@pytest.fixture(scope="module")
async def trial(system: System) -> Trial:
    """Secrets of every kind, after each was used: a job with a token, an endpoint, keys of both kinds, refusals."""
    env = system.stack.environment
    stored = json.loads((system.stack.data_dir / "private" / "secrets.json").read_text())
    made = await system.post("/api/keys", {"owner": "canary", "scopes": ["jobs"]})
    endpoint = await system.client.post("/v1/webhooks", json={"url": system.receiver.url("/secrets")})
    assert endpoint.status_code in (200, 201), endpoint.text
    shown = endpoint.json()["data"]
    signing = (await system.client.get("/api/webhooks/signing-keys")).json()["data"]["keys"][0]
    hook = {"url": system.receiver.url("/secrets"), "token": TOKEN}
    job_id = await system.create("noop", webhook=hook)
    await system.wait_for_end(job_id)
    failing = await system.create("noop", webhook=hook, behaviour="fail")
    await system.wait_for_end(failing)
    await system.receiver.wait_for(lambda one: len(one.at("/secrets")) >= 2)
    nonces = [(await system.post("/api/session/nonces", None))["nonce"] for _ in range(2)]
    async with httpx.AsyncClient(base_url=system.stack.api_url) as browser:
        assert (await browser.post("/api/session", json={"nonce": nonces[0]})).status_code == 200
        assert (await browser.get("/api/jobs/")).status_code == 200
        (session,) = browser.cookies.values()
        assert (await browser.post("/api/session", json={"nonce": "pn_" + "n" * 43})).status_code == 401
    refused = {"Authorization": f"Bearer pr_canary000000.{'c' * 43}"}
    assert (await system.client.get("/api/jobs/", headers=refused)).status_code == 401
    secrets = {
        "sealing key": env["PIPEROLL_SEAL_KEYS"].partition(":")[2],
        "pepper": env["PIPEROLL_KEY_PEPPER"],
        "password of Postgres": stored["postgres_password"],
        "bootstrap key": system.stack.api_key,
        "API key": made["key"].partition(".")[2],
        "unknown key": "c" * 43,
        "token of a session": session.removeprefix("ps_"),
        "nonce that was used": nonces[0].removeprefix("pn_"),
        "nonce that was not used": nonces[1].removeprefix("pn_"),
        "unknown nonce": "n" * 43,
        "token of a webhook": TOKEN,
        "secret of an endpoint": shown["secret"].removeprefix("whsec_"),
        "secret of a signing key": signing["secret"].removeprefix("whsec_"),
        "key of a provider": MISTRAL_KEY,
    }
    assert all(len(secret) >= 5 for secret in secrets.values())
    yield Trial(secrets, job_id)
    await system.client.delete(f"/v1/webhooks/{shown['id']}")


def found_in(content: bytes, secrets: Mapping[str, str]) -> set[str]:
    return {kind for kind, secret in secrets.items() if secret.encode() in content}


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("folder", ["logs", "kafka", "blobs"])
async def test_no_secret_is_in_logs_events_and_blobs(system: System, trial: Trial, folder: str) -> None:
    for path in files(system.stack.data_dir / folder):
        with suppress(FileNotFoundError):
            assert found_in(path.read_bytes(), trial.secrets) == set(), path


async def test_no_secret_is_in_answers_that_do_not_create_it(system: System, trial: Trial) -> None:
    of_job = [f"/api/jobs/{trial.job_id}{part}" for part in ("", "/events", "/deliveries")]
    for path in (*HIDDEN_ANSWERS, *of_job, "/v1/jobs", "/v1/webhooks", "/api/health/ready"):
        reply = await system.client.get(path)
        assert found_in(reply.content, trial.secrets) == set(), path


async def test_no_secret_is_in_metrics(system: System, trial: Trial) -> None:
    ports = json.loads((system.stack.data_dir / "ports.json").read_text())
    urls = [f"http://127.0.0.1:{port}/metrics" for name, port in ports.items() if name.endswith("-health")]
    assert len(urls) >= 3
    async with httpx.AsyncClient(trust_env=False) as client:
        for url in urls:
            assert found_in((await client.get(url)).content, trial.secrets) == set(), url


def test_no_secret_is_in_the_list_of_processes(system: System, trial: Trial) -> None:
    written = json.loads((system.stack.data_dir / "stack.json").read_text())
    for name, pid in written["pids"].items():
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                assert found_in(" ".join(process.cmdline()).encode(), trial.secrets) == set(), name


def test_a_service_starts_with_its_own_secrets_alone_and_makes_no_core_dump(system: System, trial: Trial) -> None:
    for service in ALL:
        process = psutil.Process(system.stack.pid(service))
        foreign = {f"PIPEROLL_{name.upper()}" for name, users in USERS.items() if service not in users}
        assert foreign & process.environ().keys() == set(), service
        assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0), service
    worker = "\n".join(psutil.Process(system.stack.pid("worker")).environ().values())
    assert found_in(worker.encode(), trial.secrets) == {"key of a provider"}


def test_files_with_secrets_are_readable_by_their_owner_alone(system: System, trial: Trial) -> None:
    folder = system.stack.data_dir
    private = ("private/secrets.json", "stack.json")
    assert [(folder / name).stat().st_mode & 0o777 for name in private] == [0o600, 0o600]
    for path in (path for path in folder.iterdir() if path.is_file() and path.name not in private):
        assert found_in(path.read_bytes(), trial.secrets) == set(), path
