"""One POST over HTTP: what is sent is given, what came of it is answered. Knows no job and no schedule."""

import asyncio
import io
import socket
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import aiohttp
from yarl import URL

from piperoll.addresses import Address, BlockedAddressError, Network, is_allowed, literal_address
from piperoll.webhooks.attempts import Attempted, Ending
from piperoll.webhooks.failures import FAILURES, failed
from piperoll.webhooks.guard import GuardedResolver, Lookup, guarded_socket
from piperoll.webhooks.retry_after import retry_after_s

MAX_REPLY_BYTES = 16 * 1024
DRAIN_S = 1.0  # the status line decides; the rest is read only so that the connection can serve the next hook
KEEP_ALIVE_S = 4.0  # shorter than most servers', so that we seldom write into a connection being closed
CONNECT_S = 10.0


class Sender:
    """A session for all receivers: no redirects, no proxy of the environment, no cookies, no inflating.

    `connect_s` bounds a connection with its TLS. One that works `afresh` looks up every name and connects anew for
    every POST, so that nothing of an earlier one hides what is wrong now.
    """

    def __init__(
        self,
        allowed: Sequence[Network],
        lookup: Lookup = socket.getaddrinfo,
        *,
        connect_s: float = CONNECT_S,
        afresh: bool = False,
    ) -> None:
        self._allowed = tuple(allowed)
        self._resolver = GuardedResolver(allowed, lookup)
        connector = aiohttp.TCPConnector(
            limit=0,  # whoever posts bounds what is in flight
            resolver=self._resolver,
            socket_factory=guarded_socket(allowed),
            use_dns_cache=not afresh,
            force_close=afresh,
            keepalive_timeout=None if afresh else KEEP_ALIVE_S,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            connector_owner=True,
            trust_env=False,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_s),
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._session.close()
        await self._resolver.close()

    async def addresses(self, url: str) -> tuple[str, ...]:
        """Where a URL leads, as it does now: addresses that may be dialled. Raises one of FAILURES."""
        target = URL(url)
        literal = self._literal(target)
        if literal is not None:
            return (str(literal),)
        found = await self._resolver.resolve(target.raw_host or "", target.port or 0)
        return tuple(dict.fromkeys(one["host"] for one in found))

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Attempted:
        """Posts once. `timeout_s` bounds the whole attempt, however slowly the receiver drips."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(timeout_s):
                reply = await self._open(url, headers, body)
        except FAILURES as error:
            return failed(error, ms_since(began))
        took_ms = ms_since(began)
        wait_s = retry_after_s(reply.headers.get("Retry-After"), datetime.now(UTC))
        location = reply.headers.get("Location") if 300 <= reply.status < 400 else None
        await _drain(reply)
        return Attempted(Ending.ANSWERED, took_ms, reply.status, wait_s, location, connected=True)

    async def _open(self, url: str, headers: Mapping[str, str], body: bytes) -> aiohttp.ClientResponse:
        """Sends the request and reads the head of the answer."""
        target = URL(url)
        literal = self._literal(target)
        if literal is not None:
            target = target.with_host(str(literal))
        if "Authorization" in headers:
            target = target.with_user(None)  # aiohttp refuses credentials in both places
        # A BytesIO is sent in pieces; large bytes would hold the loop (and aiohttp warns of it).
        return await self._session.post(target, data=io.BytesIO(body), headers=headers, allow_redirects=False)

    def _literal(self, target: URL) -> Address | None:
        """The address that a host spells out, also in disguise (`127.1`, `2130706433`). Raises BlockedAddressError."""
        literal = literal_address(target.host or "")
        if literal is not None and not is_allowed(literal, self._allowed):
            raise BlockedAddressError("blocked address")
        return literal


async def _drain(reply: aiohttp.ClientResponse) -> None:
    """Reads a short reply away; a long, slow or broken one costs its connection and nothing else."""
    read = 0
    try:
        async with asyncio.timeout(DRAIN_S):
            while read < MAX_REPLY_BYTES and (piece := await reply.content.read(MAX_REPLY_BYTES - read)):
                read += len(piece)
    except (TimeoutError, OSError, aiohttp.ClientError):
        reply.close()
        return
    if not reply.content.at_eof():
        reply.close()


def ms_since(began: float) -> int:
    """Whole milliseconds since a time of the monotonic clock."""
    return round((time.monotonic() - began) * 1000)
