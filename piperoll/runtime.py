"""How every service lives: settings, logs, signals, health and metrics, and an end that loses nothing."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable

import structlog
import uvloop
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import ValidationError

from piperoll import tuning as allocation
from piperoll.job_types import JobTypeError, job_types
from piperoll.settings import Settings
from piperoll.telemetry import configure_logging

log = structlog.get_logger()

Check = Callable[[], str | None]


class Lifetime:
    """A service's life: told to stop by a signal, asked for its health by the checks."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self._checks: dict[str, Check] = {}

    def check(self, name: str, problem: Check) -> None:
        """Registers a readiness check: a sentence while not ready, None when all is well."""
        self._checks[name] = problem

    def problems(self) -> dict[str, str]:
        """What keeps the service from being ready, by check."""
        found = {name: problem() for name, problem in self._checks.items()}
        return {name: sentence for name, sentence in found.items() if sentence}


Main = Callable[[Settings, Lifetime], Awaitable[None]]


def run(service: str, main: Main) -> None:
    """Runs a service until SIGTERM or SIGINT; exits with 1 and one clear line when it cannot go on."""
    try:
        settings = Settings()
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
    configure_logging(settings, service)
    log.info("service_starting", settings=settings.redacted())
    allocation.settle()
    uvloop.run(_live(service, settings, main))


async def _live(service: str, settings: Settings, main: Main) -> None:
    lifetime = Lifetime()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lifetime.stopping.set)
    server = await _serve_health(settings, lifetime)
    try:
        await main(settings, lifetime)
    except Exception as error:
        # The one place where everything ends up: said once, in full, then the supervisor decides.
        log.exception("service_failed", error=repr(error))
        raise SystemExit(1) from error
    finally:
        await server.cleanup()
        log.info("service_stopped")


async def _serve_health(settings: Settings, lifetime: Lifetime) -> web.AppRunner:
    """`/health/live`, `/health/ready` and `/metrics` on the health port; nothing when the port is 0."""
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
