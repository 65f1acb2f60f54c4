"""A webhook receiver, a process of its own: answers 200 to everything, counts the hooks that tell a job's end.

Says its port on standard output; then, for each number read from standard input, one line once as many final hooks
have come since the number was read.
"""

import asyncio
import json
import sys
import time
from typing import cast

import httptools
import uvloop

FINAL = b'"phase":"completed"'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Count:
    """Final hooks and all hooks so far, and who waits for how many."""

    def __init__(self) -> None:
        self.hooks = 0
        self._left = 0
        self._began = 0.0

    def expect(self, finals: int) -> None:
        """Begins to count anew."""
        self.hooks, self._left, self._began = 0, finals, time.process_time()

    def take(self, body: bytes) -> None:
        """Counts one hook, and says so when it was the last one expected."""
        self.hooks += 1
        if FINAL not in body:
            return
        self._left -= 1
        if self._left == 0:
            say({"at": time.monotonic(), "hooks": self.hooks, "cpu_s": time.process_time() - self._began})


class Hook(asyncio.Protocol):
    """One connection of the notifier. The parser calls `on_body` and `on_message_complete`."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one, though it does not derive from it

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_message_complete(self) -> None:
        body, self._body = b"".join(self._body), []
        assert self._transport is not None
        self._transport.write(OK)
        self._parser = httptools.HttpRequestParser(self)
        self._count.take(body)


def say(message: object) -> None:
    """One line of JSON to the measuring process."""
    print(json.dumps(message), flush=True)


async def serve() -> None:
    """Serves until standard input closes."""
    loop, count = asyncio.get_running_loop(), Count()
    server = await loop.create_server(lambda: Hook(count), "127.0.0.1", 0)
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    say({"port": server.sockets[0].getsockname()[1]})
    while line := await orders.readline():
        count.expect(int(line))
        say({"expecting": int(line)})
    server.close()


if __name__ == "__main__":
    uvloop.run(serve())
