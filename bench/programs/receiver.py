"""A webhook receiver, a separate process: answers 200 to every request and counts the webhooks of completed jobs.

Prints its port. For each number read from standard input it prints one line at once, and another when that many
webhooks of completed jobs have arrived since.
"""

import asyncio
import json
import sys
import time
from typing import Any

import httptools
import uvloop

from bench.programs.wire import Messages

FINAL = b'"phase":"completed"'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Count:
    """The number of webhooks so far, and of final ones that are still expected."""

    def __init__(self) -> None:
        self._hooks = 0
        self._left = 0
        self._began = 0.0

    def expect(self, finals: int) -> None:
        """Reset the count."""
        self._hooks, self._left, self._began = 0, finals, time.process_time()

    def take(self, body: bytes) -> None:
        """Count one webhook; report when it was the last expected one."""
        self._hooks += 1
        if FINAL not in body:
            return
        self._left -= 1
        if self._left == 0:
            report({"at": time.monotonic(), "hooks": self._hooks, "cpu_s": time.process_time() - self._began})


class Hook(Messages):
    """One connection of the notifier."""

    parser = httptools.HttpRequestParser

    def __init__(self, count: Count) -> None:
        super().__init__()
        self._count = count

    def received(self, body: bytes, parser: Any) -> None:
        self.write(OK)
        self._count.take(body)


def report(message: object) -> None:
    """Print one line of JSON for the measuring process."""
    print(json.dumps(message), flush=True)


async def serve() -> None:
    """Serve until standard input closes."""
    loop, count = asyncio.get_running_loop(), Count()
    server = await loop.create_server(lambda: Hook(count), "127.0.0.1", 0)
    numbers = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(numbers), sys.stdin)
    report({"port": server.sockets[0].getsockname()[1]})
    while line := await numbers.readline():
        count.expect(int(line))
        report({"expecting": int(line)})
    server.close()


if __name__ == "__main__":
    uvloop.run(serve())
