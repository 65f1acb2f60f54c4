"""The driver that blocks, over httpx.Client."""

import time
from collections.abc import Generator, Iterator
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


class BlockingDriver:
    """Runs scripts, each to its end or as an iterator over what it emits."""

    def __init__(self, http: httpx.Client, rules: RetryPolicy) -> None:
        self.http = http
        self.rules = rules

    def run(self, script: Script[T]) -> T:
        """Return what the script returns."""
        with _BlockingRun(script, self) as one:
            while not isinstance(step := one.advance(), Ended):
                pass
            return step.value

    def iterate(self, script: Series[T]) -> Generator[T, None, None]:
        """Yield what the script emits. Its connection is closed when the iterator is."""
        with _BlockingRun(script, self) as one:
            while isinstance(step := one.advance(), Emit):
                yield step.value


class _BlockingRun(Generic[T]):
    """One run of a script, and the answer that it has open."""

    def __init__(self, script: Script[T], driver: BlockingDriver) -> None:
        self._script = script
        self._http = driver.http
        self._rules = driver.rules
        self._response: httpx.Response | None = None
        self._pieces: Iterator[bytes] = iter(())

    def __enter__(self) -> "_BlockingRun[T]":
        return self

    def __exit__(self, *_: object) -> None:
        self._script.close()
        self._close()

    def advance(self) -> Emit[Any] | Ended[T]:
        """Run until the script emits a value or returns."""
        result: Any = None
        while True:
            try:
                effect = self._script.send(result)
            except StopIteration as stop:
                return Ended(stop.value)
            if isinstance(effect, Emit):
                return effect
            result = self._perform(effect)

    def _perform(self, effect: Effect) -> Any:
        match effect:
            case Send(request):
                return self._exchange(request, stream=False)
            case Open(request):
                return self._exchange(request, stream=True)
            case Read():
                return self._read()
            case Pause(seconds):
                return time.sleep(seconds)
            case Now():
                return time.monotonic()
            case GetPolicy():
                return self._rules
        raise AssertionError(effect)

    def _exchange(self, request: ApiRequest, *, stream: bool) -> ApiReply | TransportFault:
        self._close()
        file = wire.opened(request)
        try:
            response = self._http.send(wire.built(self._http, request, file), stream=True)
            if stream and not wire.is_read_at_once(response):
                self._response, self._pieces = response, response.iter_bytes()
                return wire.reply_of(response)
            try:
                return wire.reply_of(response, response.read())
            finally:
                response.close()
        except httpx.RequestError as error:
            return wire.fault_of(error, self._http)
        finally:
            if file is not None:
                file.close()

    def _read(self) -> bytes | TransportFault:
        try:
            return next(self._pieces, b"")
        except httpx.RequestError as error:
            return wire.fault_of(error, self._http)

    def _close(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.close()
