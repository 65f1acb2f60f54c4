"""Trials of webhooks at receivers that behave well and badly: real sockets, real Postgres, a fake name service."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import web
from standardwebhooks import Webhook as Verifier

from piperoll import keys
from piperoll.seal import Seal
from piperoll.webhooks import signing_keys
from piperoll.webhooks.guard import Lookup
from piperoll.webhooks.sender import Sender
from schemas.job_types.parameters import Webhook
from services.api.http.errors import ApiError, ReadModelUnavailableError
from services.api.http.rate_limit import RateLimit
from services.api.signing_keys.commands import SigningKeyAdmin
from services.api.trials.diagnosis import Json
from services.api.trials.posting import A_MINUTE, AT_ONCE, AT_ONCE_OF_OWNER, Trials
from tests.support.servers.certificates import self_signed
from tests.support.servers.receiver import Answer, Receiver, close, drip, endless, hang, redirect, status
from tests.support.stacks.api import a_free_port
from tests.support.waiting import PATIENCE_S

LOOPBACK = (ip_network("127.0.0.0/8"),)
SEAL = Seal({"k1": bytes(range(32))})
BRIEF_S = 1.0
"""The timeout of tests in which the receiver never answers."""


@pytest.fixture
async def ready(pool: asyncpg.Pool) -> asyncpg.Pool:
    await keys.prepare(pool)
    return pool


@pytest.fixture
def owner() -> str:
    return f"owner-{uuid4().hex[:8]}"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@asynccontextmanager
async def trying(
    pool: asyncpg.Pool,
    lookup: Lookup = socket.getaddrinfo,
    seal: Seal = SEAL,
    *,
    connect_s: float = PATIENCE_S,
    timeout_s: float = PATIENCE_S,
) -> AsyncIterator[Trials]:
    sender = Sender(LOOPBACK, lookup, connect_s=connect_s, uncached=True)
    yield Trials(sender, SigningKeyAdmin(pool, seal, 60, PATIENCE_S), RateLimit(pool, A_MINUTE, PATIENCE_S), timeout_s)
    await sender.close()


@pytest.fixture
async def trials(ready: asyncpg.Pool) -> AsyncIterator[Trials]:
    async with trying(ready) as trials:
        yield trials


def resolving_to(*addresses: str) -> Lookup:
    """A name service that has these addresses for every name."""

    def lookup(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return lookup


def in_turn(*lookups: Lookup) -> Lookup:
    """A name service with one answer after the other; the last one stays."""
    left = list(lookups)

    def lookup(*given: Any, **named: Any) -> list[tuple[Any, ...]]:
        return (left.pop(0) if len(left) > 1 else left[0])(*given, **named)

    return lookup


def unknown(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def failed(found: Json, reason: str, words: str) -> None:
    assert (found["ok"], found["reason"]) == (False, reason)
    assert words in found["message"]


async def test_a_trial_is_signed_with_the_owner_s_keys(
    trials: Trials, ready: asyncpg.Pool, receiver: Receiver, owner: str
) -> None:
    found = await trials.run(Webhook(url=receiver.url(), token="s3cret"), owner)
    (sent,) = receiver.received
    assert (found["ok"], found["reason"], found["status"]) == (True, None, 200)
    assert found["addresses"] == ["127.0.0.1"]
    assert found["webhook_id"] == sent.headers["webhook-id"]
    assert sent.json["phase"] == "test"
    assert sent.headers["Authorization"] == "Bearer s3cret"
    (key,) = await signing_keys.active(ready, SEAL, owner)
    assert Verifier(key.secret).verify(sent.body, sent.headers) == sent.json


@pytest.mark.parametrize(
    ("answer", "reason", "code", "words"),
    [
        (status(500), "HTTP_STATUS", 500, "its log"),
        (status(410), "HTTP_STATUS", 410, "given up at once"),
        (redirect("https://www.hooks.example/in"), "HTTP_STATUS", 302, "leads to https://www.hooks.example:443"),
        (hang, "TIMEOUT", None, "did not answer within 1 s"),
        (close, "CONNECTION", None, "closed the connection"),
    ],
)
async def test_a_failure_of_the_receiver_is_reported(
    ready: asyncpg.Pool, receiver: Receiver, owner: str, answer: Answer, reason: str, code: int | None, words: str
) -> None:
    receiver.answers("/hook", answer)
    async with trying(ready, timeout_s=BRIEF_S if answer is hang else PATIENCE_S) as trials:
        found = await trials.run(Webhook(url=receiver.url()), owner)
    failed(found, reason, words)
    assert found["status"] == code
    assert len(receiver.received) == 1, "neither repeated nor followed"


@pytest.mark.parametrize("answer", [drip, endless])
async def test_an_endless_reply_is_cut_off(trials: Trials, receiver: Receiver, owner: str, answer: Answer) -> None:
    receiver.answers("/hook", answer)
    async with asyncio.timeout(PATIENCE_S):
        assert (await trials.run(Webhook(url=receiver.url()), owner))["ok"]


async def test_a_self_signed_certificate_is_reported(trials: Trials, owner: str, tmp_path: Path) -> None:
    async with Receiver(tls=self_signed(tmp_path)) as receiver:
        failed(await trials.run(Webhook(url=receiver.url()), owner), "TLS", "(self-signed certificate)")
        assert not receiver.received


async def test_a_port_without_tls_is_reported(trials: Trials, receiver: Receiver, owner: str) -> None:
    found = await trials.run(Webhook(url=receiver.url().replace("http:", "https:")), owner)
    failed(found, "TLS", "must speak TLS at this port")


async def test_a_closed_port_is_reported_without_its_address(ready: asyncpg.Pool, owner: str) -> None:
    async with trying(ready, resolving_to("127.0.0.1")) as trials:
        found = await trials.run(Webhook(url=f"http://hook.example:{a_free_port()}/"), owner)
    failed(found, "CONNECTION", "(Connection refused)")
    assert "127.0.0.1" not in found["message"]
    assert found["addresses"] == ["127.0.0.1"]


async def test_a_connect_timeout_is_distinguished_from_a_slow_answer(ready: asyncpg.Pool, owner: str) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())  # the backlog is full and nothing accepts
        async with trying(ready, connect_s=0.3) as trials:
            found = await trials.run(Webhook(url=f"http://127.0.0.1:{full.getsockname()[1]}/"), owner)
        for one in waiting:
            one.close()
    failed(found, "TIMEOUT", "No connection to http://127.0.0.1")


async def test_an_unknown_host_name_is_reported(ready: asyncpg.Pool, owner: str) -> None:
    async with trying(ready, unknown) as trials:
        found = await trials.run(Webhook(url="https://hook.example/"), owner)
    failed(found, "NAME_NOT_FOUND", "hook.example was not found (Name or service not known)")
    assert found["addresses"] == []


@pytest.fixture
def silent() -> Iterator[Lookup]:
    """A name service that does not answer before the test is over."""
    over = threading.Event()

    def lookup(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        over.wait()
        return []

    yield lookup
    over.set()


async def test_a_name_service_that_does_not_answer_is_reported(ready: asyncpg.Pool, owner: str, silent: Lookup) -> None:
    async with asyncio.timeout(PATIENCE_S), trying(ready, silent, timeout_s=BRIEF_S) as trials:
        found = await trials.run(Webhook(url="https://hook.example/"), owner)
    failed(found, "TIMEOUT", "The name service did not answer")


@pytest.mark.parametrize("addresses", [("10.1.2.3",), ("93.184.215.14", "10.1.2.3"), ("169.254.169.254",)])
async def test_a_host_name_with_a_blocked_address_is_reported_without_the_address(
    ready: asyncpg.Pool, owner: str, addresses: tuple[str, ...]
) -> None:
    async with trying(ready, resolving_to(*addresses)) as trials:
        found = await trials.run(Webhook(url="https://hook.example/"), owner)
    failed(found, "BLOCKED_ADDRESS", "hook.example leads to a blocked address")
    assert not [address for address in addresses if address in str(found)]


async def test_a_host_name_that_changes_to_a_blocked_address_is_refused_at_connect(
    ready: asyncpg.Pool, receiver: Receiver, owner: str
) -> None:
    async with trying(ready, in_turn(resolving_to("127.0.0.1"), resolving_to("10.1.2.3"))) as trials:
        found = await trials.run(Webhook(url=receiver.url().replace("127.0.0.1", "hook.example")), owner)
    failed(found, "BLOCKED_ADDRESS", "leads to a blocked address")
    assert found["addresses"] == []
    assert not receiver.received


async def test_every_trial_looks_up_the_name_and_opens_a_connection(
    ready: asyncpg.Pool, receiver: Receiver, owner: str
) -> None:
    connections = set()

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        connections.add(request.transport.get_extra_info("peername"))
        return web.Response()

    receiver.answers("/hook", answer)
    here = resolving_to("127.0.0.1")
    hook = Webhook(url=receiver.url().replace("127.0.0.1", "hook.example"))
    async with trying(ready, in_turn(here, here, here, here, unknown)) as trials:
        assert [(await trials.run(hook, owner))["ok"] for _ in range(2)] == [True, True]
        assert len(connections) == 2
        failed(await trials.run(hook, owner), "NAME_NOT_FOUND", "not found")


async def test_a_token_that_is_invalid_in_a_header_is_reported(trials: Trials, receiver: Receiver, owner: str) -> None:
    found = await trials.run(Webhook(url=receiver.url(), token="a\r\nHost: evil"), owner)
    failed(found, "UNREADABLE", "without line ends")
    assert not receiver.received


class Held:
    """An answer that is sent only after `let_go` is set."""

    def __init__(self, receiver: Receiver, path: str = "/held") -> None:
        self.receiver = receiver
        self.path = path
        self.let_go = asyncio.Event()
        receiver.answers(path, self._answer)

    async def _answer(self, _: web.Request) -> web.StreamResponse:
        await self.let_go.wait()
        return web.Response()

    async def begun(self, count: int) -> None:
        await self.receiver.wait_for(lambda _: len(self.receiver.at(self.path)) == count, 20, f"{count} trials")


async def refused(trials: Trials, hook: Webhook, owner: str) -> ApiError:
    with pytest.raises(ApiError) as error:
        await trials.run(hook, owner)
    assert (error.value.status, error.value.code) == (429, "RATE_LIMITED")
    assert int(error.value.headers["Retry-After"]) >= 1
    return error.value


@pytest.fixture
async def patient(ready: asyncpg.Pool) -> AsyncIterator[Trials]:
    """Trials with a timeout that outlasts the test."""
    sender = Sender(LOOPBACK, uncached=True)
    yield Trials(
        sender, SigningKeyAdmin(ready, SEAL, 60, PATIENCE_S), RateLimit(ready, A_MINUTE, PATIENCE_S), PATIENCE_S
    )
    await sender.close()


async def test_an_owner_has_at_most_two_trials_at_once(patient: Trials, receiver: Receiver, owner: str) -> None:
    held = Held(receiver)
    hook, other = Webhook(url=receiver.url(held.path)), Webhook(url=receiver.url())
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(patient.run(hook, owner)) for _ in range(AT_ONCE_OF_OWNER)]
        await held.begun(AT_ONCE_OF_OWNER)
        assert (await refused(patient, other, owner)).details == {"limit": AT_ONCE_OF_OWNER}
        assert (await patient.run(other, f"{owner}-2"))["ok"], "another owner is not affected"
        held.let_go.set()
    assert all(task.result()["ok"] for task in running)
    assert (await patient.run(other, owner))["ok"]


async def test_a_process_has_a_maximum_of_trials_at_once(patient: Trials, receiver: Receiver, owner: str) -> None:
    held = Held(receiver)
    hook = Webhook(url=receiver.url(held.path))
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(patient.run(hook, f"{owner}-{n // 2}")) for n in range(AT_ONCE)]
        await held.begun(AT_ONCE)
        assert (await refused(patient, hook, f"{owner}-new")).details == {"limit": AT_ONCE}
        held.let_go.set()
    assert all(task.result()["ok"] for task in running)


async def test_an_owner_has_a_maximum_of_trials_a_minute(trials: Trials, receiver: Receiver, owner: str) -> None:
    hook = Webhook(url=receiver.url())
    for _ in range(A_MINUTE):
        assert (await trials.run(hook, owner))["ok"]
    assert (await refused(trials, hook, owner)).details == {"limit": A_MINUTE, "window_s": 60}
    assert len(receiver.received) == A_MINUTE
    assert (await trials.run(hook, f"{owner}-2"))["ok"]


async def test_a_signing_key_that_cannot_be_unsealed_is_reported_and_nothing_is_posted(
    trials: Trials, ready: asyncpg.Pool, receiver: Receiver, owner: str
) -> None:
    hook = Webhook(url=receiver.url("/before"))
    assert (await trials.run(hook, owner))["ok"]
    async with trying(ready, seal=Seal({"k2": bytes(32)})) as lost:
        with pytest.raises(ApiError, match="PIPEROLL_SEAL_KEYS") as error:
            await lost.run(Webhook(url=receiver.url("/after")), owner)
    assert error.value.status == 500
    assert not receiver.at("/after")


async def test_without_postgres_nothing_is_posted(receiver: Receiver, owner: str) -> None:
    dsn = f"postgresql://user@127.0.0.1:{a_free_port()}/none"
    async with asyncpg.create_pool(dsn, min_size=0) as pool, trying(pool) as trials:
        with pytest.raises(ReadModelUnavailableError):
            await trials.run(Webhook(url=receiver.url()), owner)
    assert not receiver.received
