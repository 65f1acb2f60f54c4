"""One POST over HTTP: what is sent is given, what came of it is answered. Knows no job and no schedule."""

import asyncio
import io
import socket
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import aiohttp
from yarl import URL

from piperoll.addresses import Network, is_allowed, literal_address
from services.notifier.guard import BlockedAddressError, GuardedResolver, Lookup, guarded_socket
from services.notifier.retry import Attempted, Ending, parse_retry_after

MAX_REPLY_BYTES = 16 * 1024
DRAIN_S = 1.0  # the status line decides; the rest is read only so that the connection can serve the next hook
KEEP_ALIVE_S = 4.0  # shorter than most servers', so that we seldom write into a connection being closed
CONNECT_S = 10.0


class Sender:
    """A session for all receivers: no redirects, no proxy of the environment, no cookies, no inflating."""

    def __init__(self, allowed: Sequence[Network], lookup: Lookup = socket.getaddrinfo) -> None:
        self._allowed = tuple(allowed)
        connector = aiohttp.TCPConnector(
            limit=0,  # the dispatcher bounds what is in flight, by receiver and in all
            resolver=GuardedResolver(allowed, lookup),
            socket_factory=guarded_socket(allowed),
            keepalive_timeout=KEEP_ALIVE_S,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            connector_owner=True,
            trust_env=False,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._session.close()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Attempted:
        """Posts once. `timeout_s` bounds the whole attempt, however slowly the receiver drips."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(timeout_s):
                reply = await self._open(url, headers, body)
        except (TimeoutError, OSError, aiohttp.ClientError, ValueError) as error:
            return Attempted(_ending_of(error), _ms_since(began))
        took_ms = _ms_since(began)
        retry_after_s = parse_retry_after(reply.headers.get("Retry-After"), datetime.now(UTC))
        await _drain(reply)
        return Attempted(Ending.ANSWERED, took_ms, reply.status, retry_after_s)

    async def _open(self, url: str, headers: Mapping[str, str], body: bytes) -> aiohttp.ClientResponse:
        """Sends the request and reads the head of the answer."""
        target = self._spelled_out(URL(url))
        if "Authorization" in headers:
            target = target.with_user(None)  # aiohttp refuses credentials in both places
        # A BytesIO is sent in pieces; large bytes would hold the loop (and aiohttp warns of it).
        return await self._session.post(target, data=io.BytesIO(body), headers=headers, allow_redirects=False)

    def _spelled_out(self, target: URL) -> URL:
        """A host that is an address in disguise (`127.1`, `2130706433`) as what it is. Raises BlockedAddressError."""
        literal = literal_address(target.host or "")
        if literal is None:
            return target
        if not is_allowed(literal, self._allowed):
            raise BlockedAddressError("blocked address")
        return target.with_host(str(literal))


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


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _ending_of(error: Exception) -> Ending:
    """The class of a failure. aiohttp keeps the operating system's error inside its own."""
    inner = getattr(error, "os_error", None) or error
    if isinstance(inner, BlockedAddressError):
        return Ending.BLOCKED_ADDRESS
    if isinstance(error, TimeoutError):
        return Ending.TIMEOUT
    if isinstance(inner, socket.gaierror | UnicodeError):
        return Ending.NAME_NOT_FOUND
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ServerFingerprintMismatch):
        return Ending.TLS
    if isinstance(error, ValueError):
        return Ending.UNREADABLE  # a URL or token that no request can be made of
    return Ending.CONNECTION
