"""`/api/jobs/{job_id}/…`: what happened to a job, as facts, as deliveries, and as a stream of events."""

from typing import Any

from fastapi import APIRouter
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.api.http.answers import success, timestamp
from services.api.http.fields import whole_number
from services.api.http.plain_route import PlainRoute
from services.api.jobs import openapi
from services.api.jobs.listing import DEFAULT_LIMIT, MAX_LIMIT
from services.api.jobs.lookup import own_job
from services.api.jobs.stream import HEADERS, MEDIA_TYPE, job_stream
from services.api.jobs.views import client_id
from services.api.jobs.wording import delivery_outcome, delivery_reason
from services.api.parts import parts_of

router = APIRouter(tags=["jobs"], route_class=PlainRoute)

MAX_SEQUENCE = 2**31 - 1
UNTOLD = frozenset({"origin_sha256"})
"""Of a delivery, what stands in its fact for machines alone."""


@router.get("/api/jobs/{job_id}/events", **openapi.GET_EVENTS)
async def get_events(request: Request, job_id: str) -> Response:
    """The facts that a job is made of, in the log's order, each with its position."""
    after = whole_number(request.query_params, "after", default=0, most=MAX_SEQUENCE)
    limit = whole_number(request.query_params, "limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
    row = await own_job(request, job_id)
    found = await parts_of(request).read_model.events(job_id, after, limit)
    events: list[dict[str, Any]] = [
        {
            "sequence": sequence,
            "position": f"{row.position.partition}:{offset}",
            "type": type_name,
            "time": timestamp(time),
            "data": from_json(data),
        }
        for sequence, offset, type_name, time, data in found
    ]
    following = events[-1]["sequence"] if events else after
    return success({"events": events, "next": following}, row.position)


@router.get("/api/jobs/{job_id}/deliveries", **openapi.GET_DELIVERIES)
async def get_deliveries(request: Request, job_id: str) -> Response:
    """Every attempt to tell the job's webhook, and every request for another one, oldest first."""
    row = await own_job(request, job_id)
    attempts = []
    for type_name, time, data in await parts_of(request).read_model.deliveries(job_id):
        attempt = {name: value for name, value in from_json(data).items() if name not in UNTOLD}
        outcome = delivery_outcome(type_name.split(".")[1])
        failed = {"reason": delivery_reason(attempt)} if "reason" in attempt else {}
        attempts.append({"time": timestamp(time), "outcome": outcome, **attempt, **failed})
    return success({"deliveries": attempts}, row.position)


@router.get("/api/jobs/{job_id}/stream", **openapi.STREAM_JOB)
async def stream_job(request: Request, job_id: str) -> Response:
    """A job's changes as they happen. 204 for a client that has seen its end, so that it does not come back."""
    row = await own_job(request, job_id)
    known = _known(request.headers.get("last-event-id"))
    if known is not None and row.status.terminal and row.standing.sequence <= known:
        return Response(status_code=204)
    reading = parts_of(request).reading
    called = client_id(row, await reading.documents(row))
    return StreamingResponse(job_stream(reading, row, called, known), 200, HEADERS, MEDIA_TYPE)


def _known(header: str | None) -> int | None:
    """The last event's id as we gave it; any other text says nothing."""
    if header is None or not header.isascii() or not header.isdecimal() or len(header) > 10:
        return None
    return int(header)
