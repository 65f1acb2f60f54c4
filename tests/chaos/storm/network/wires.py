"""The wire protocols of the stores, as far as a proxy must read them.

Kafka: https://kafka.apache.org/protocol (size, api key, version, correlation id; an answer: size, correlation id).
Postgres: https://www.postgresql.org/docs/current/protocol-message-formats.html (CommandComplete carries the tag).
"""

import asyncio
import struct
from typing import Protocol

from piperoll.embedded.ports import HOST

PRODUCE = 0
NAMING = frozenset({3, 10, 60})  # Metadata, FindCoordinator, DescribeCluster: answers that name the broker's address
_CHUNK = 64 * 1024
_COMMITTED = b"COMMIT\x00"


class Wire(Protocol):
    """The parser of one connection. Raises asyncio.IncompleteReadError at its end."""

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        """Return the next piece from the client."""

    async def answer(self, reader: asyncio.StreamReader) -> tuple[bytes, bool]:
        """Return the next piece from the store, and whether it acknowledges a write."""


class KafkaWire:
    """Frames. The address of the broker is replaced in its answers: clients connect to what it advertises."""

    def __init__(self, target: int, port: int) -> None:
        self._theirs = HOST.encode() + struct.pack(">i", target)
        self._ours = HOST.encode() + struct.pack(">i", port)
        self._asked: dict[int, int] = {}

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        """Return the next request."""
        frame = await _frame(reader)
        key, _, correlation = struct.unpack_from(">hhi", frame, 4)
        self._asked[correlation] = key
        return frame

    async def answer(self, reader: asyncio.StreamReader) -> tuple[bytes, bool]:
        """Return the next answer; that to a Produce request acknowledges."""
        frame = await _frame(reader)
        (correlation,) = struct.unpack_from(">i", frame, 4)
        key = self._asked.pop(correlation, None)
        return frame.replace(self._theirs, self._ours) if key in NAMING else frame, key == PRODUCE


class PostgresWire:
    """Bytes as they come; the end of a transaction acknowledges."""

    def __init__(self, target: int, port: int) -> None:
        pass

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        """Return what the client sent."""
        return await _some(reader)

    async def answer(self, reader: asyncio.StreamReader) -> tuple[bytes, bool]:
        """Return what the server sent."""
        piece = await _some(reader)
        return piece, _COMMITTED in piece


async def _frame(reader: asyncio.StreamReader) -> bytes:
    size = await reader.readexactly(4)
    return size + await reader.readexactly(struct.unpack(">i", size)[0])


async def _some(reader: asyncio.StreamReader) -> bytes:
    if piece := await reader.read(_CHUNK):
        return piece
    raise asyncio.IncompleteReadError(b"", None)
