"""Asking for webhooks again: one job's, or all that were held or given up at a receiver (contract 2e)."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.api.http.answers import success
from services.api.http.bodies import read_json
from services.api.http.caller import caller_of
from services.api.http.plain_route import PlainRoute
from services.api.jobs.lookup import own_job
from services.api.parts import parts_of
from services.api.redelivery import openapi as openapi_redelivery
from services.api.redelivery.requests import wanted_delivery, wanted_hooks

router = APIRouter(tags=["jobs"], route_class=PlainRoute)


@router.post("/api/jobs/{job_id}/deliveries/redeliver", **openapi_redelivery.ONE)
async def redeliver(request: Request, job_id: str) -> Response:
    """Has the webhook that tells a job's end sent again. 409 while it is on its own schedule anyway; 202 when the
    request was not read back in time."""
    parts = parts_of(request)
    named = wanted_delivery((await read_json(request, parts.max_body_bytes, optional=True)).value)
    row = await own_job(request, job_id)
    asked = await parts.redelivery.of_job(row, named, caller_of(request))
    data = {"job_id": job_id, "delivery_id": asked.delivery_id, "request": asked.request}
    return success(data, asked.position, status=200 if asked.passed else 202)


@router.post("/api/deliveries/redeliver", **openapi_redelivery.MANY)
async def redeliver_many(request: Request) -> Response:
    """Counts the webhooks that were held or given up at a receiver, and with `dry_run: false` has them sent again."""
    parts = parts_of(request)
    wanted = wanted_hooks((await read_json(request, parts.max_body_bytes)).value)
    asked = await parts.redelivery.at_origin(wanted.origin, wanted.since, wanted.dry_run, caller_of(request))
    data: dict[str, Any] = {"count": asked.count, "left": asked.left, "dry_run": wanted.dry_run}
    return success(data, asked.position, status=200 if asked.passed else 202)
