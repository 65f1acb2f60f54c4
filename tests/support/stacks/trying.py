"""Trials of webhooks over a real Postgres and a fake name service."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import asyncpg

from piperoll.seal import Seal
from piperoll.webhooks.guard import Lookup
from piperoll.webhooks.sender import Sender
from services.api.http.rate_limit import RateLimit
from services.api.signing_keys.commands import SigningKeyAdmin
from services.api.trials.diagnosis import Json
from services.api.trials.posting import A_MINUTE, Trials
from tests.support.waiting import PATIENCE_S

LOOPBACK = (ip_network("127.0.0.0/8"),)
SEAL = Seal({"k1": bytes(range(32))})
BRIEF_S = 1.0
"""The timeout of tests in which the receiver never answers."""


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
    try:
        yield Trials(
            sender, SigningKeyAdmin(pool, seal, 60, PATIENCE_S), RateLimit(pool, A_MINUTE, PATIENCE_S), timeout_s
        )
    finally:
        await sender.close()


def resolving_to(*addresses: str) -> Lookup:
    """A name service that has these addresses for every name."""

    def lookup(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return lookup


def failed(found: Json, reason: str, words: str) -> None:
    assert (found["ok"], found["reason"]) == (False, reason)
    assert words in found["message"]
