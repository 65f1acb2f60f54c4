"""Health and metrics: the paths that need no key."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from schemas.errors import ErrorCode
from services.api.http.answers import success
from services.api.http.errors import UnavailableError
from services.api.http.plain_route import PlainRoute
from services.api.jobs import openapi
from services.api.parts import parts_of

router = APIRouter(tags=["health"], route_class=PlainRoute)


@router.get("/api/health/", **openapi.LIVE)
@router.get("/api/health", include_in_schema=False)
@router.get("/api/health/live", **openapi.LIVE)
async def live(request: Request) -> Response:
    """200 as long as requests are answered at all."""
    return success({"status": "ok"})


@router.get("/api/health/ready", **openapi.READY)
async def ready(request: Request) -> Response:
    """200 when Kafka and the read model answer; else 503 and what is missing."""
    if problems := parts_of(request).problems():
        said = "not ready: " + "; ".join(problems.values())
        raise UnavailableError(ErrorCode.READ_MODEL_UNAVAILABLE, said, {"problems": problems})
    return success({"status": "ok"})


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
