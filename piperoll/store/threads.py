"""Threads for calls that may never return."""

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import Empty, SimpleQueue
from threading import Lock, Semaphore, Thread
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_Work = tuple[Future[Any], Callable[[], Any]]


class DaemonThreads(Executor):
    """Runs calls on at most `size` threads, started as needed.

    A call that hangs, as that of a store over a network that drops packets, holds up neither `close` nor the end of the
    process: those of ThreadPoolExecutor are joined at its end, for ever.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._waiting: SimpleQueue[_Work | None] = SimpleQueue()
        self._idle = Semaphore(0)
        self._lock = Lock()
        self._threads: list[Thread] = []
        self._closed = False

    def submit(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Return the future of a call. Raises RuntimeError after the close."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError(f"the {self._name} threads are closed")
            self._waiting.put((future, lambda: call(*args, **kwargs)))
            if not self._idle.acquire(blocking=False) and len(self._threads) < self._size:
                thread = Thread(target=self._work, name=f"{self._name}_{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
        return future

    def close(self, within_s: float) -> bool:
        """Take no more calls, and wait for those that were made; return whether all have ended."""
        end = time.monotonic() + within_s
        with self._lock:
            self._closed = True
            for _ in self._threads:
                self._waiting.put(None)
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (work := self._next()) is not None:
            _run(*work)
            del work  # with its result, which may be large

    def _next(self) -> _Work | None:
        try:
            return self._waiting.get_nowait()
        except Empty:
            self._idle.release()
            return self._waiting.get()


def _run(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - raised to the caller
        future.set_exception(error)
    else:
        future.set_result(result)
