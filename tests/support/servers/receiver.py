"""A webhook receiver for tests: a real HTTP server on 127.0.0.1 that records requests and answers as configured.

It does not depend on Piperoll.
"""

import asyncio
import gzip
import json
import ssl
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.support.waiting import wait_until

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Received:
    """One request as it came; `number` counts all requests of the receiver from 1, in order of arrival."""

    number: int
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def status(code: int, **headers: str) -> Answer:
    """Answers with a status; header names are given with underscores."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers={name.replace("_", "-"): text for name, text in headers.items()})

    return answer


def redirect(to: str) -> Answer:
    """Answers 302 to another address."""
    return status(302, Location=to)


def body(content: bytes, **headers: str) -> Answer:
    """Answers 200 with a body."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=content, headers={name.replace("_", "-"): text for name, text in headers.items()})

    return answer


def gzip_bomb(size: int = 10_000_000) -> Answer:
    """Answers 200 with a small body that inflates to `size` bytes."""
    return body(gzip.compress(b"\0" * size), Content_Encoding="gzip")


async def hang(_: web.Request) -> web.StreamResponse:
    """Takes the request and never answers."""
    await asyncio.Event().wait()
    raise AssertionError("nothing sets it")


def hang_at(phase: str) -> Answer:
    """Never answers hooks of this phase, and 200 to others, also when an earlier hook was given up on its way here."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await hang(request) if json.loads(await request.read())["phase"] == phase else web.Response()

    return answer


async def close(request: web.Request) -> web.StreamResponse:
    """Closes the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def drip(request: web.Request) -> web.StreamResponse:
    """Answers 200 at once and then its body byte by byte, for ever."""
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):
        while True:
            await response.write(b".")
            await asyncio.sleep(0.05)
    return response


async def endless(request: web.Request) -> web.StreamResponse:
    """Answers 200 and a body without end, as fast as it is read."""
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):
        while True:
            await response.write(b"." * 65536)
    return response


class Receiver:
    """Records requests. Answers 200 unless `answers(path, first, second, …)` sets other answers; the last one stays."""

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self._answers: dict[str, list[Answer]] = defaultdict(lambda: [status(200)])
        self._runner: web.AppRunner | None = None
        self._port = port
        self._tls = tls

    async def __aenter__(self) -> "Receiver":
        app = web.Application(client_max_size=1024**3)
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def origin(self) -> str:
        """`http://127.0.0.1:port`, the same for its whole life; with `tls` https."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    def url(self, path: str = "/hook") -> str:
        return f"{self.origin}{path}"

    def answers(self, path: str, *answers: Answer) -> None:
        """Answers requests to `path` with these in turn; the last one answers all that follow."""
        self._answers[path] = list(answers)

    def at(self, path: str) -> list[Received]:
        """The requests to a path, in order of arrival."""
        return [one for one in self.received if one.path == path]

    async def wait_for(
        self, predicate: Callable[["Receiver"], Any], timeout: float = 20, description: str = "a request"
    ) -> Any:
        """The first true value of `predicate(receiver)`; fails with what came instead."""
        try:
            return await wait_until(lambda: predicate(self), timeout, description)
        except AssertionError as error:
            came = [(one.path, one.body[:200]) for one in self.received[-10:]]
            raise AssertionError(f"{error}; {len(self.received)} requests came, the last ones: {came}") from error

    async def _listen(self) -> None:
        assert self._runner is not None
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._tls)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def _take(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        self.received.append(Received(len(self.received) + 1, request.path, dict(request.headers), content))
        waiting = self._answers[request.path]
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return await answer(request)
