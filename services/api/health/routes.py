"""Health and metrics: the paths that need no key."""

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from schemas.errors import ErrorCode
from services.api.health import openapi
from services.api.http.answers import success
from services.api.http.errors import UnavailableError
from services.api.http.routing import Routes, route


class HealthRoutes(Routes, tag="health"):
    """`/api/health` and `/metrics`."""

    problems: Callable[[], dict[str, str]]

    @route("GET", "/api/health/", "/api/health", operation=openapi.LIVE)
    @route("GET", "/api/health/live", operation=openapi.LIVE)
    async def live(self, request: Request) -> Response:
        """200 as long as requests are answered at all."""
        return success({"status": "ok"})

    @route("GET", "/api/health/ready", operation=openapi.READY)
    async def ready(self, request: Request) -> Response:
        """200 when Kafka and the read model answer; else 503 and what is missing."""
        if problems := self.problems():
            message = "not ready: " + "; ".join(problems.values())
            raise UnavailableError(ErrorCode.READ_MODEL_UNAVAILABLE, message, {"problems": problems})
        return success({"status": "ok"})

    @route("GET", "/metrics")
    async def metrics(self, request: Request) -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
