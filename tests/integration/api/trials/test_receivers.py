"""Trials of webhooks at receivers that behave well and badly: real sockets and a real Postgres."""

import asyncio
import socket
from pathlib import Path

import asyncpg
import pytest
from standardwebhooks import Webhook as Verifier

from piperoll.seal import Seal
from piperoll.webhooks import signing_keys
from schemas.job_types.parameters import Webhook
from services.api.http.errors import ApiError, ReadModelUnavailableError
from services.api.trials.posting import Trials
from tests.support.servers.certificates import self_signed
from tests.support.servers.receiver import Answer, Receiver, close, drip, endless, hang, redirect, status
from tests.support.stacks.api import a_free_port
from tests.support.stacks.trying import BRIEF_S, SEAL, failed, resolving_to, trying
from tests.support.waiting import PATIENCE_S


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


async def test_a_token_that_is_invalid_in_a_header_is_reported(trials: Trials, receiver: Receiver, owner: str) -> None:
    found = await trials.run(Webhook.model_construct(url=receiver.url(), token="a\r\nHost: evil"), owner)
    failed(found, "UNREADABLE", "without line ends")
    assert not receiver.received


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
