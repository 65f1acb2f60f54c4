"""Background work: none ends silently. What fails is tried again, counted, and named in readiness.

`Background.loop` is for work that lasts as long as the service: its error, or an end before the stop, ends the
service. `Background.until_done` is for a piece of work that must succeed. Both name their work.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import Counter, Gauge

from piperoll.clock import happens_within, pauses

log = structlog.get_logger()

FAILURES = Counter("piperoll_background_failures_total", "Failed tries of background work", ["work"])
FAILING = Gauge("piperoll_background_failing", "Pieces of background work that fail at present", ["work"])

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0


class BackgroundEndedError(RuntimeError):
    """Work that lasts as long as the service ended before it."""


class Background:
    """The background work of one service."""

    def __init__(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        self._failing: dict[tuple[str, str], str] = {}

    def problem(self) -> str | None:
        """A sentence while some work fails."""
        if not self._failing:
            return None
        (work, detail), error = next(iter(self._failing.items()))
        others = f", and {len(self._failing) - 1} more" if len(self._failing) > 1 else ""
        return f"{work}{' of ' + detail if detail else ''} fails and is tried again: {error}{others}"

    def failed(self, work: str, error: BaseException, detail: str = "") -> None:
        """Note a failed try; `work` is one of few names, `detail` the thing worked on."""
        FAILURES.labels(work).inc()
        if (work, detail) not in self._failing:
            FAILING.labels(work).inc()
        self._failing[work, detail] = f"{type(error).__name__}: {error}"
        log.warning("background_work_failed", work=work, detail=detail, error=repr(error))

    def recovered(self, work: str, detail: str = "") -> None:
        """Note that the work goes on, or was given up."""
        if self._failing.pop((work, detail), None) is not None:
            FAILING.labels(work).dec()
            log.info("background_work_recovered", work=work, detail=detail)

    async def loop(self, work: str, running: Awaitable[None]) -> None:
        """Await work that ends only at the stop. Raises its error, and BackgroundEndedError."""
        try:
            await running
        except Exception as error:
            self.failed(work, error)
            raise
        if not self._stopping.is_set():
            raise BackgroundEndedError(f"{work} ended although the service was not stopped")

    async def until_done(self, work: str, attempt: Callable[[], Awaitable[None]], detail: str = "") -> None:
        """Repeat `attempt` after each error, with growing pauses, until it succeeds or the service stops."""
        try:
            for pause in pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S):
                try:
                    return await attempt()
                except Exception as error:  # noqa: BLE001 - whatever it was, the work has to be done
                    self.failed(work, error, detail)
                if await happens_within(self._stopping, pause):
                    return
        finally:
            self.recovered(work, detail)
