"""Trials of webhooks whose host has a name: real sockets, a real Postgres, a fake name service."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from piperoll.webhooks.guard import Lookup
from schemas.job_types.parameters import Webhook
from tests.support.servers.receiver import Receiver
from tests.support.stacks.trying import BRIEF_S, failed, resolving_to, trying
from tests.support.waiting import PATIENCE_S


def in_turn(*lookups: Lookup) -> Lookup:
    """A name service with one answer after the other; the last one stays."""
    left = list(lookups)

    def lookup(*given: Any, **named: Any) -> list[tuple[Any, ...]]:
        return (left.pop(0) if len(left) > 1 else left[0])(*given, **named)

    return lookup


def unknown(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


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
