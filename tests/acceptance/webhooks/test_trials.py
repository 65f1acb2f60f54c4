"""A webhook is tried over HTTP: what the receiver gets, what the caller gets, what is not stored.
See docs/contract/additions.md#trials."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from tests.support.servers.receiver import Received, redirect, status
from tests.support.stacks.system import Json, System
from tests.support.stacks.traces import found_in

TEST = "/api/webhooks/test"


@pytest.fixture
def owner() -> str:
    return f"trying-{uuid4().hex[:8]}"


@pytest.fixture
async def client(system: System, owner: str) -> AsyncIterator[httpx.AsyncClient]:
    async with system.client_of(owner, "jobs") as client:
        yield client


@pytest.fixture
def path() -> str:
    return f"/tried/{uuid4().hex}"


async def tried(client: httpx.AsyncClient, url: str, **more: str) -> Json:
    reply = await client.post(TEST, json={"url": url, **more})
    assert reply.status_code == 200, reply.text
    return dict(reply.json()["data"])


def only(system: System, path: str) -> Received:
    (sent,) = system.receiver.at(path)
    return sent


async def test_a_trial_is_signed_like_the_webhooks_of_its_owner(
    system: System, owner: str, client: httpx.AsyncClient, path: str
) -> None:
    found = await tried(client, system.receiver.url(path), token="token-of-mine")
    assert found["ok"]
    assert found["addresses"] == ["127.0.0.1"]
    sent = only(system, path)
    assert sent.json["phase"] == "test"
    assert sent.headers["Authorization"] == "Bearer token-of-mine"
    assert sent.headers["X-Callback-Token"] == "token-of-mine"
    async with system.client_of(owner, "admin") as admin:
        (key,) = (await admin.get("/api/webhooks/signing-keys")).json()["data"]["keys"]
    assert Webhook(key["secret"]).verify(sent.body, sent.headers) == sent.json


async def test_a_failing_or_redirecting_receiver_is_reported_with_a_200(
    system: System, client: httpx.AsyncClient, path: str
) -> None:
    system.receiver.answers(path, status(503), redirect("https://www.hooks.example/in"))
    failed = await tried(client, system.receiver.url(path))
    assert (failed["ok"], failed["reason"], failed["status"]) == (False, "HTTP_STATUS", 503)
    led = await tried(client, system.receiver.url(path))
    assert (led["status"], led["redirect"]) == (302, "https://www.hooks.example:443")
    assert "Redirects are not followed" in led["message"]


async def test_every_trial_opens_a_new_connection(system: System, client: httpx.AsyncClient, path: str) -> None:
    connections = []

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        connections.append(request.transport.get_extra_info("peername"))
        return web.Response()

    system.receiver.answers(path, answer)
    assert [(await tried(client, system.receiver.url(path)))["ok"] for _ in range(2)] == [True, True]
    assert len(set(connections)) == 2, "an open one would hide that no new one can be made"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "https://hooks.example/in", "more": 1}, "INVALID_REQUEST"),
        ({"token": "s3cret"}, "INVALID_PARAMETERS"),
        ({"url": "http://169.254.169.254/latest/meta-data"}, "BLOCKED_ADDRESS"),
        ({"url": "http://10.0.0.1/in"}, "BLOCKED_ADDRESS"),
        ([], "INVALID_REQUEST"),
    ],
)
async def test_an_invalid_webhook_is_a_400(client: httpx.AsyncClient, body: Json, code: str) -> None:
    reply = await client.post(TEST, json=body)
    assert reply.status_code == 400, reply.text
    assert reply.json()["error"]["code"] == code


async def test_a_trial_needs_a_key(system: System, path: str) -> None:
    async with httpx.AsyncClient(base_url=system.stack.api_url) as without_key:
        assert (await without_key.post(TEST, json={"url": system.receiver.url(path)})).status_code == 401
    assert not system.receiver.at(path)


async def test_a_trial_is_not_stored(system: System, client: httpx.AsyncClient, path: str) -> None:
    token = f"token-{uuid4().hex}"
    found = await tried(client, system.receiver.url(path), token=token)
    trial = only(system, path).json["process"]["id"]
    assert await found_in(system, token, path, trial, found["webhook_id"]) == []
    for log in (system.stack.data_dir / "logs").glob("*.log"):
        written = log.read_bytes()
        assert token.encode() not in written, log.name
        assert path.encode() not in written, log.name


async def test_jobs_are_accepted_while_trials_wait_and_a_third_trial_is_refused(
    system: System, client: httpx.AsyncClient, path: str
) -> None:
    let_go = asyncio.Event()

    async def answer(_: web.Request) -> web.StreamResponse:
        await let_go.wait()
        return web.Response()

    system.receiver.answers(path, answer)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(tried(client, system.receiver.url(path))) for _ in range(2)]
        await system.receiver.wait_for(lambda receiver: len(receiver.at(path)) == 2, 20, "both trials")
        third = await client.post(TEST, json={"url": system.receiver.url(path)})
        created = await client.post("/api/jobs/", json={"job_type": "noop", "parameters": {}})
        running = [not task.done() for task in waiting]
        let_go.set()
    assert (third.status_code, third.json()["error"]["code"]) == (429, "RATE_LIMITED")
    assert int(third.headers["Retry-After"]) >= 1
    assert created.status_code == 200, created.text
    assert running == [True, True], "the job was accepted while both trials were waiting"
    assert [task.result()["ok"] for task in waiting] == [True, True]
