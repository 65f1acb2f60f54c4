"""Connections of the server on a socket: heads, bodies, idle and slow clients, and their number are bounded."""

import asyncio
import json
import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from starlette.types import Receive, Scope, Send

from services.api.http.connections import ConnectionLimits, affordable
from services.api.http.server import listen, serve

LIMITS = ConnectionLimits(connections=20, head_s=0.5, body_s=1.0, body_bytes=1000, write_s=1.0)
GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n"
HEAD_BYTES = 64 * 1024
PATIENCE_S = 10
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def counting(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers the number of bytes in the body; `/large` with more than a socket holds, `/late` after a while."""
    seen = 0
    while (message := await receive())["type"] == "http.request":
        seen += len(message["body"])
        if not message["more_body"]:
            break
    else:
        return
    if scope["path"] == "/late":
        await asyncio.sleep(3 * LIMITS.head_s)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    body = b"x" * 50_000_000 if scope["path"] == "/large" else str(seen).encode()
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(limits: ConnectionLimits = LIMITS) -> AsyncIterator[int]:
    stopping = asyncio.Event()
    with listen("127.0.0.1", 0) as listening:
        server = asyncio.create_task(serve(counting, listening, stopping, limits))
        try:
            yield listening.getsockname()[1]
        finally:
            stopping.set()
            await server


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def to_the_end(reader: asyncio.StreamReader) -> bytes:
    """What the server sends until it closes the connection."""
    async with asyncio.timeout(PATIENCE_S):
        return await reader.read()


async def answer(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        head = await reader.readuntil(b"\r\n\r\n")
        return head + await reader.readuntil(b"0\r\n\r\n")


def refused(answered: bytes, status: int, envelope: str = "status") -> str:
    head, _, body = answered.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answered[:200]
    assert b"connection: close" in head
    parsed = json.loads(body)
    assert envelope in parsed
    return str(parsed["error"]["message"])


@pytest.mark.parametrize("together", [True, False])
async def test_a_head_of_64_kilobytes_is_the_largest(together: bool) -> None:
    async with serving() as port:
        for size, allowed in ((60_000, True), (HEAD_BYTES + 1, False)):
            async with connected(port) as (reader, writer):
                head = GET + b"X-A: " + b"a" * size + b"\r\n\r\n"
                for piece in (head,) if together else (head[:30_000], head[30_000:-2], head[-2:]):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                answered = await (answer(reader) if allowed else to_the_end(reader))
                assert answered.startswith(b"HTTP/1.1 200") if allowed else "64 kB" in refused(answered, 431)


async def test_an_endless_head_is_cut_off_early() -> None:
    async def send_on(writer: asyncio.StreamWriter) -> None:
        for _ in range(1_000):
            writer.write(b"X-A: " + b"a" * 65_000 + b"\r\n")
            await writer.drain()

    async with serving() as port, connected(port) as (reader, writer):
        writer.write(GET)
        sending = asyncio.create_task(send_on(writer))
        async with asyncio.timeout(PATIENCE_S):
            refused(await reader.readuntil(b"}}}"), 431)
            with pytest.raises(ConnectionError):
                await sending


@pytest.mark.parametrize("before", [b"", GET + b"\r\n"], ids=["first", "next"])
@pytest.mark.parametrize("begun", [GET + b"X-A: ", b"\r\n"], ids=["half a head", "a line end"])
async def test_a_head_that_is_not_completed_is_408(before: bytes, begun: bytes) -> None:
    async with serving() as port, connected(port) as (reader, writer):
        if before:
            writer.write(before)
            await answer(reader)
        began = time.monotonic()
        writer.write(begun)
        assert "head" in refused(await to_the_end(reader), 408)
        assert time.monotonic() - began >= LIMITS.head_s


async def test_what_follows_a_request_does_not_end_the_wait_for_its_answer() -> None:
    async with serving() as port, connected(port) as (reader, writer):
        writer.write(GET.replace(b" / ", b" /late ") + b"\r\n")
        await asyncio.sleep(0.05)
        writer.write(b"\r\n")
        assert (await answer(reader)).startswith(b"HTTP/1.1 200")


async def test_a_connection_without_a_byte_is_closed() -> None:
    async with serving() as port, connected(port) as (reader, _):
        assert await to_the_end(reader) == b""


async def test_a_dripping_body_is_408_and_a_slow_upload_is_taken() -> None:
    async def send(writer: asyncio.StreamWriter, size: int) -> None:
        writer.write(POST)
        for _ in range(20_000 // size):
            writer.write(b"x" * size)
            await asyncio.sleep(0.1)

    async with serving() as port, connected(port) as dripping, connected(port) as steady:
        sending = [asyncio.create_task(send(dripping[1], 10)), asyncio.create_task(send(steady[1], 500))]
        assert "1,000 bytes" in refused(await to_the_end(dripping[0]), 408, "success")
        assert (await answer(steady[0])).endswith(b"20000\r\n0\r\n\r\n")
        for task in sending:
            task.cancel()


async def test_a_client_that_does_not_read_its_answer_is_cut_off() -> None:
    async with serving(replace(LIMITS, connections=1)) as port, connected(port) as (_, writer):
        writer.write(GET.replace(b" / ", b" /large ") + b"\r\n")
        await asyncio.wait_for(_a_place(port), PATIENCE_S)


async def _a_place(port: int) -> None:
    """Wait until the server has room for another connection."""
    while True:
        async with connected(port) as (reader, writer):
            writer.write(GET + b"\r\n")
            if (await reader.readline()).startswith(b"HTTP/1.1 200"):
                return
        await asyncio.sleep(0.1)


def test_a_process_takes_no_more_connections_than_it_can_open_files() -> None:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert affordable(10) == 10
    assert files == resource.RLIM_INFINITY or affordable(files) < files


async def test_a_connection_beyond_the_limit_is_429_until_another_one_ends() -> None:
    async with serving(replace(LIMITS, connections=2)) as port:
        async with connected(port) as one, connected(port) as two:
            for reader, writer in (one, two):
                writer.write(GET + b"\r\n")
                await answer(reader)
            async with connected(port) as (reader, _):
                answered = await to_the_end(reader)
                assert "2 open connections" in refused(answered, 429)
                assert b"retry-after:" in answered.lower()
        await asyncio.wait_for(_a_place(port), PATIENCE_S)
