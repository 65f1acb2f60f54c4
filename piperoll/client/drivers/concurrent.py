"""The driver for asyncio, over httpx.AsyncClient."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Generic, TypeVar

import httpx

from piperoll.client.drivers import http as wire
from piperoll.client.policy import RetryPolicy
from piperoll.client.wire import (
    ApiReply,
    ApiRequest,
    Effect,
    Emit,
    Ended,
    GetPolicy,
    Now,
    Open,
    Pause,
    Read,
    Script,
    Send,
    Series,
    TransportFault,
)

T = TypeVar("T")


class ConcurrentDriver:
    """Runs scripts, each to its end or as an asynchronous iterator over what it emits."""

    def __init__(self, http: httpx.AsyncClient, rules: RetryPolicy) -> None:
        self.http = http
        self.rules = rules

    async def run(self, script: Script[T]) -> T:
        """Return what the script returns."""
        async with _ConcurrentRun(script, self) as one:
            while not isinstance(step := await one.advance(), Ended):
                pass
            return step.value

    async def iterate(self, script: Series[T]) -> AsyncGenerator[T, None]:
        """Yield what the script emits. Its connection is closed when the iterator is."""
        async with _ConcurrentRun(script, self) as one:
            while isinstance(step := await one.advance(), Emit):
                yield step.value


class _ConcurrentRun(Generic[T]):
    """One run of a script, and the answer that it has open."""

    def __init__(self, script: Script[T], driver: ConcurrentDriver) -> None:
        self._script = script
        self._http = driver.http
        self._rules = driver.rules
        self._response: httpx.Response | None = None
        self._pieces: AsyncIterator[bytes] | None = None

    async def __aenter__(self) -> "_ConcurrentRun[T]":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._script.close()
        await self._close()

    async def advance(self) -> Emit[Any] | Ended[T]:
        """Run until the script emits a value or returns."""
        result: Any = None
        while True:
            try:
                effect = self._script.send(result)
            except StopIteration as stop:
                return Ended(stop.value)
            if isinstance(effect, Emit):
                return effect
            result = await self._perform(effect)

    async def _perform(self, effect: Effect) -> Any:
        match effect:
            case Send(request):
                return await self._exchange(request, stream=False)
            case Open(request):
                return await self._exchange(request, stream=True)
            case Read():
                return await self._read()
            case Pause(seconds):
                return await asyncio.sleep(seconds)
            case Now():
                return time.monotonic()
            case GetPolicy():
                return self._rules
        raise AssertionError(effect)

    async def _exchange(self, request: ApiRequest, *, stream: bool) -> ApiReply | TransportFault:
        await self._close()
        file = wire.opened(request)
        try:
            response = await self._http.send(wire.built(self._http, request, file), stream=True)
            if stream and not wire.is_read_at_once(response):
                self._response, self._pieces = response, response.aiter_bytes()
                return wire.reply_of(response)
            try:
                return wire.reply_of(response, await response.aread())
            finally:
                await response.aclose()
        except httpx.RequestError as error:
            return wire.fault_of(error, self._http)
        finally:
            if file is not None:
                file.close()

    async def _read(self) -> bytes | TransportFault:
        try:
            return await anext(self._pieces, b"") if self._pieces is not None else b""
        except httpx.RequestError as error:
            return wire.fault_of(error, self._http)

    async def _close(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            await response.aclose()
