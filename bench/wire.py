"""The cheapest HTTP/1.1 that a load generator can do with: keep-alive, one request at a time on each connection.

A full client costs several times the CPU a request, which on a small machine comes out of what is measured.
"""

import asyncio
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import httptools


def request(url: str, key: str, method: str, path: str, body: bytes = b"") -> bytes:
    """A whole request as it goes over the wire."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class RequestFailedError(RuntimeError):
    """An answer other than 200, or none: a measurement over failing requests would mean nothing."""


@dataclass
class Client:
    """Connections to one server: opened when all are busy, kept for the next request."""

    url: str
    _idle: list["_Connection"] = field(default_factory=list)

    async def ask(self, message: bytes) -> bytes:
        """The body of the 200 that answers a request. Raises RequestFailedError."""
        connection = self._idle.pop() if self._idle else await self._open()
        body = await connection.ask(message)
        self._idle.append(connection)
        return body

    async def open(self, count: int) -> None:
        """Opens connections ahead of their use."""
        self._idle += await asyncio.gather(*(self._open() for _ in range(count)))

    def close(self) -> None:
        """Closes the idle connections."""
        while self._idle:
            self._idle.pop().close()

    async def _open(self) -> "_Connection":
        parts = urlsplit(self.url)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, parts.hostname or "127.0.0.1", parts.port or 80)
        return connection


class _Connection(asyncio.Protocol):
    """One request after the other. The parser calls `on_body` and `on_message_complete`."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    async def ask(self, message: bytes) -> bytes:
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(message)
        return await self._answer

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one, though it does not derive from it

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(RequestFailedError(f"the server closed the connection ({exc})"))

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_message_complete(self) -> None:
        body, self._body = b"".join(self._body), []
        assert self._answer is not None
        if (status := self._parser.get_status_code()) == 200:
            self._answer.set_result(body)
        else:
            self._answer.set_exception(RequestFailedError(f"status {status}: {body[:500].decode(errors='replace')}"))
        self._parser = httptools.HttpResponseParser(self)
