"""Scripts as methods: a resource names each of its scripts once, and has the script's parameters and result."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar

from piperoll.client.drivers.blocking import BlockingDriver
from piperoll.client.drivers.concurrent import ConcurrentDriver
from piperoll.client.wire import Script, Series

P = ParamSpec("P")
T = TypeVar("T")


class BlockingResource:
    """A noun of the blocking client."""

    def __init__(self, driver: BlockingDriver) -> None:
        self._driver = driver


class ConcurrentResource:
    """A noun of the asynchronous client."""

    def __init__(self, driver: ConcurrentDriver) -> None:
        self._driver = driver


class Method(Generic[P, T]):
    """A method that returns what its script returns."""

    def __init__(self, script: Callable[P, Script[T]]) -> None:
        self.script = script

    def __get__(self, resource: BlockingResource, _: type | None = None) -> Callable[P, T]:
        @wraps(self.script)
        def method(*args: P.args, **named: P.kwargs) -> T:
            return resource._driver.run(self.script(*args, **named))

        return method


class Iteration(Generic[P, T]):
    """A method that iterates over what its script emits."""

    def __init__(self, script: Callable[P, Series[T]]) -> None:
        self.script = script

    def __get__(self, resource: BlockingResource, _: type | None = None) -> Callable[P, Generator[T, None, None]]:
        @wraps(self.script)
        def method(*args: P.args, **named: P.kwargs) -> Generator[T, None, None]:
            return resource._driver.iterate(self.script(*args, **named))

        return method


class AsyncMethod(Generic[P, T]):
    """A coroutine that returns what its script returns."""

    def __init__(self, script: Callable[P, Script[T]]) -> None:
        self.script = script

    def __get__(self, resource: ConcurrentResource, _: type | None = None) -> Callable[P, Coroutine[Any, Any, T]]:
        @wraps(self.script)
        async def method(*args: P.args, **named: P.kwargs) -> T:
            return await resource._driver.run(self.script(*args, **named))

        return method


class AsyncIteration(Generic[P, T]):
    """A method that iterates asynchronously over what its script emits."""

    def __init__(self, script: Callable[P, Series[T]]) -> None:
        self.script = script

    def __get__(self, resource: ConcurrentResource, _: type | None = None) -> Callable[P, AsyncGenerator[T, None]]:
        @wraps(self.script)
        def method(*args: P.args, **named: P.kwargs) -> AsyncGenerator[T, None]:
            return resource._driver.iterate(self.script(*args, **named))

        return method
