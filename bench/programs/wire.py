"""A minimal HTTP/1.1 connection and client: keep-alive, one request at a time on each connection.

A full client costs several times the CPU for each request, which on a small machine distorts the measurement.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import httptools


def request(url: str, key: str, method: str, path: str, body: bytes = b"") -> bytes:
    """Return the bytes of a whole request."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class RequestFailedError(RuntimeError):
    """A status other than 200, or a closed connection: failed requests invalidate the measurement."""


class Messages(asyncio.Protocol):
    """Parses messages of `parser`'s kind and calls `received` with each. The parser calls the `on_` methods."""

    parser: type[Any]

    def __init__(self) -> None:
        self._parser = self.parser(self)
        self._body: list[bytes] = []
        self.transport: asyncio.Transport | None = None

    def received(self, body: bytes, parser: Any) -> None:
        """Handle a message; `parser` knows its head."""
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        """Send bytes."""
        assert self.transport is not None
        self.transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's has its methods but not its base class

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_message_complete(self) -> None:
        body, parser = b"".join(self._body), self._parser
        self._body, self._parser = [], self.parser(self)
        self.received(body, parser)


@dataclass
class Client:
    """Connections to one server: opened when all are busy, kept for the next request."""

    url: str
    _idle: list["_Connection"] = field(default_factory=list)

    async def ask(self, message: bytes) -> bytes:
        """Send a request and return the body of its answer. Raises RequestFailedError."""
        connection = self._idle.pop() if self._idle else await self._open()
        body = await connection.ask(message)
        self._idle.append(connection)
        return body

    async def open(self, count: int) -> None:
        """Open connections in advance."""
        self._idle += await asyncio.gather(*(self._open() for _ in range(count)))

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    async def _open(self) -> "_Connection":
        parts = urlsplit(self.url)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, parts.hostname or "127.0.0.1", parts.port or 80)
        return connection


class _Connection(Messages):
    """One request after the other."""

    parser = httptools.HttpResponseParser

    def __init__(self) -> None:
        super().__init__()
        self._answer: asyncio.Future[bytes] | None = None

    async def ask(self, message: bytes) -> bytes:
        self._answer = asyncio.get_running_loop().create_future()
        self.write(message)
        return await self._answer

    def close(self) -> None:
        assert self.transport is not None
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(RequestFailedError(f"the server closed the connection ({exc})"))

    def received(self, body: bytes, parser: Any) -> None:
        assert self._answer is not None
        if (status := parser.get_status_code()) == 200:
            self._answer.set_result(body)
        else:
            self._answer.set_exception(RequestFailedError(f"status {status}: {body[:500].decode(errors='replace')}"))
