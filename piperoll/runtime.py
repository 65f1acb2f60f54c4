"""The runtime of every service: settings, logs, signals, health, metrics and graceful shutdown."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
import uvloop
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import ValidationError

from piperoll import tuning
from piperoll.background import Background
from piperoll.installation.file_roots import refusal_of_roots
from piperoll.job_types import JobTypeError, job_types
from piperoll.process_memory import keep_private
from piperoll.settings import Settings
from piperoll.telemetry import configure_logging

log = structlog.get_logger()

DRAIN_S = 11.0  # from the stop until what is left is cut off, whatever is away
CLOSE_S = 3.0  # for closing connections after that; the supervisor kills after 15 s
Check = Callable[[], str | None]


class Lifetime:
    """A service's stop event, set by a signal, its background work, and its readiness checks."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.background = Background(self.stopping)
        self._checks: dict[str, Check] = {"background": self.background.problem}

    def check(self, name: str, problem: Check) -> None:
        """Register a readiness check, which returns a sentence while the service is not ready, else None."""
        self._checks[name] = problem

    def problems(self) -> dict[str, str]:
        """Return the sentences of failing checks by name."""
        found = {name: problem() for name, problem in self._checks.items()}
        return {name: sentence for name, sentence in found.items() if sentence}


Main = Callable[[Settings, Lifetime], Coroutine[Any, Any, None]]


def run(service: str, main: Main) -> None:
    """Run a service until SIGTERM or SIGINT; exit with 2 for invalid settings and with 1 after an error."""
    keep_private()
    try:
        settings = Settings.of_service(service)
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            print(f"piperoll {service}: PIPEROLL_{name}: {problem['msg']}", file=sys.stderr)
        raise SystemExit(2) from error
    try:
        job_types()
    except JobTypeError as error:
        print(f"piperoll {service}: {error}", file=sys.stderr)
        raise SystemExit(2) from error
    if refusal := refusal_of_roots(settings):
        print(f"piperoll {service}: {refusal}", file=sys.stderr)
        raise SystemExit(2)
    configure_logging(settings, service)
    log.info("service_starting", settings=settings.redacted())
    tuning.apply()
    uvloop.run(_run(service, settings, main))


async def _run(service: str, settings: Settings, main: Main) -> None:
    lifetime = Lifetime()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lifetime.stopping.set)
    server = await _serve_health(settings, lifetime)
    try:
        await until_drained(main(settings, lifetime), lifetime.stopping)
    except Exception as error:
        # Unhandled errors are logged here, once and with traceback; the supervisor restarts the service.
        log.exception("service_failed", error=repr(_only(error)))
        raise SystemExit(1) from error
    finally:
        await server.cleanup()
        log.info("service_stopped")


def _only(error: Exception) -> Exception:
    """Return the error in groups of one: its message has to be read by an operator."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        (error,) = error.exceptions
    return error


async def until_drained(
    main: Coroutine[Any, Any, None], stopping: asyncio.Event, drain_s: float = DRAIN_S, close_s: float = CLOSE_S
) -> None:
    """Await `main`; after the stop for at most `drain_s`, then cancel it. Raises its error.

    A service whose parts cannot even be closed within `close_s` exits at once: nothing that it holds is the only copy.
    """
    serving = asyncio.ensure_future(main)
    stop = asyncio.ensure_future(stopping.wait())
    await asyncio.wait([serving, stop], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not serving.done():
        await asyncio.wait([serving], timeout=drain_s)
    if not serving.done():
        log.error("drain_cut_off", after_s=drain_s, unfinished=_unfinished())
        serving.cancel()
        await asyncio.wait([serving], timeout=close_s)
        if not serving.done():
            log.error("exit_without_closing", after_s=drain_s + close_s)
            os._exit(1)
        if serving.cancelled():
            return
    await serving


def _unfinished() -> list[str]:
    """Where each task waits, innermost first: an operator has to see what held up the stop."""
    return sorted({" < ".join(_waits(task)) for task in asyncio.all_tasks() if task is not asyncio.current_task()})


def _waits(task: "asyncio.Task[Any]") -> list[str]:
    """The names of the coroutines that a task is in, the innermost one first."""
    names: list[str] = []
    waiting: Any = task.get_coro()
    while waiting is not None and hasattr(waiting, "cr_frame"):
        names.insert(0, waiting.__qualname__)
        waiting = waiting.cr_await
    return names


async def _serve_health(settings: Settings, lifetime: Lifetime) -> web.AppRunner:
    """Serve `/health/live`, `/health/ready` and `/metrics` on the health port unless it is 0."""
    app = web.Application()

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(_: web.Request) -> web.Response:
        problems = lifetime.problems()
        return web.json_response(
            {"status": "unavailable" if problems else "ok", "problems": problems},
            status=503 if problems else 200,
        )

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.add_routes([web.get("/health/live", live), web.get("/health/ready", ready), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    if settings.health_port:
        await web.TCPSite(runner, settings.health_host, settings.health_port).start()
    return runner
