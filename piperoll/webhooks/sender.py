"""One webhook POST over HTTP."""

import asyncio
import io
import socket
import time
from collections.abc import Mapping, Sequence

import aiohttp
from yarl import URL

from piperoll.addresses import Address, BlockedAddressError, Network, is_allowed, literal_address
from piperoll.clock import Clock, utc_now
from piperoll.webhooks.attempts import Attempted, Ending
from piperoll.webhooks.failures import FAILURES, failed
from piperoll.webhooks.guard import GuardedResolver, Lookup, guarded_socket
from piperoll.webhooks.retry_after import retry_after_s

MAX_REPLY_BYTES = 16 * 1024
DRAIN_S = 1.0  # the body is read only so that the connection can be reused
KEEP_ALIVE_S = 4.0  # shorter than most servers' timeouts, so that few POSTs hit a closing connection
CONNECT_S = 10.0


class Sender:
    """A session for all receivers: no redirects, no proxy from the environment, no cookies, no decompression.

    `clock` is the time from which a receiver's date in Retry-After is away.
    `connect_s` limits connecting with TLS. With `uncached` every POST looks up the name and opens a new connection, so
    that caches do not hide an error.
    """

    def __init__(
        self,
        allowed: Sequence[Network],
        lookup: Lookup = socket.getaddrinfo,
        *,
        clock: Clock = utc_now,
        connect_s: float = CONNECT_S,
        uncached: bool = False,
    ) -> None:
        self._allowed = tuple(allowed)
        self._clock = clock
        self._resolver = GuardedResolver(allowed, lookup)
        connector = aiohttp.TCPConnector(
            limit=0,  # callers limit the concurrency
            resolver=self._resolver,
            socket_factory=guarded_socket(allowed),
            use_dns_cache=not uncached,
            force_close=uncached,
            keepalive_timeout=None if uncached else KEEP_ALIVE_S,
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
        """Close all connections."""
        await self._session.close()
        await self._resolver.close()

    async def addresses(self, url: str) -> tuple[str, ...]:
        """Return the allowed addresses of a URL's host. Raises one of FAILURES."""
        target = URL(url)
        literal = self._literal(target)
        if literal is not None:
            return (str(literal),)
        found = await self._resolver.resolve(target.raw_host or "", target.port or 0)
        return tuple(dict.fromkeys(one["host"] for one in found))

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Attempted:
        """Post once. `timeout_s` limits the whole attempt."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(timeout_s):
                reply = await self._open(url, headers, body)
        except FAILURES as error:
            return failed(error, ms_since(began))
        took_ms = ms_since(began)
        wait_s = retry_after_s(reply.headers.get("Retry-After"), self._clock())
        location = reply.headers.get("Location") if 300 <= reply.status < 400 else None
        await _drain(reply)
        return Attempted(Ending.ANSWERED, took_ms, reply.status, wait_s, location, connected=True)

    async def _open(self, url: str, headers: Mapping[str, str], body: bytes) -> aiohttp.ClientResponse:
        """Send the request and read the headers of the answer."""
        target = URL(url)
        literal = self._literal(target)
        if literal is not None:
            target = target.with_host(str(literal))
        if "Authorization" in headers:
            target = target.with_user(None)  # aiohttp rejects credentials in both places
        # A BytesIO is sent in pieces; large bytes would block the loop, and aiohttp warns about them.
        return await self._session.post(target, data=io.BytesIO(body), headers=headers, allow_redirects=False)

    def _literal(self, target: URL) -> Address | None:
        """Return the host's literal address, in any notation (`127.1`, `2130706433`). Raises BlockedAddressError."""
        literal = literal_address(target.host or "")
        if literal is not None and not is_allowed(literal, self._allowed):
            raise BlockedAddressError("blocked address")
        return literal


async def _drain(reply: aiohttp.ClientResponse) -> None:
    """Read the rest of a short answer; close the connection of a long, slow or broken one."""
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
    """Return the milliseconds since a time of the monotonic clock."""
    return round((time.monotonic() - began) * 1000)
