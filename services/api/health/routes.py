"""Health for clients and proxies, without a key. Metrics are at the health port alone (`piperoll.runtime`)."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from schemas.errors import ErrorCode
from services.api.http.answers import success
from services.api.http.errors import UnavailableError
from services.api.http.routing import Routes, route
from services.api.openapi.examples import Json
from services.api.openapi.grammar import ERRORS, data, refusal

LIVE: Json = {"summary": "Liveness", "responses": {200: data({"status": "ok"}, "Alive")}}
READY: Json = {"summary": "Readiness", "responses": {200: data({"status": "ok"}, "Ready"), 503: refusal(*ERRORS[503])}}


class HealthRoutes(Routes, tag="health"):
    """`/api/health`."""

    problems: Callable[[], dict[str, str]]

    @route("GET", "/api/health/", "/api/health", operation=LIVE)
    @route("GET", "/api/health/live", operation=LIVE)
    async def live(self, request: Request) -> Response:
        """Answer 200 as long as the process answers requests."""
        return success({"status": "ok"})

    @route("GET", "/api/health/ready", operation=READY)
    async def ready(self, request: Request) -> Response:
        """Answer 200 when Kafka and the read model answer; else 503 with the problems."""
        if problems := self.problems():
            message = "not ready: " + "; ".join(problems.values())
            raise UnavailableError(ErrorCode.READ_MODEL_UNAVAILABLE, message, {"problems": problems})
        return success({"status": "ok"})
