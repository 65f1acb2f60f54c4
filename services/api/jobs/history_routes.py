"""`/api/jobs/{job_id}/…`: what happened to a job, as facts, as deliveries, and as a stream of events."""

from typing import Any

from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.api.http.answers import success, timestamp
from services.api.http.caller import caller_of
from services.api.http.routing import Routes, route
from services.api.jobs import openapi
from services.api.jobs.queries import EventsQuery
from services.api.jobs.reading import Reading
from services.api.jobs.stream import HEADERS, MEDIA_TYPE, job_stream
from services.api.jobs.views import client_id
from services.api.jobs.wording import delivery_outcome, delivery_reason
from services.api.read_model.jobs import ReadModel

UNTOLD = frozenset({"origin_sha256"})
"""Of a delivery, what stands in its fact for machines alone."""


class JobHistoryRoutes(Routes, tag="jobs"):
    """History."""

    read_model: ReadModel
    reading: Reading

    @route("GET", "/api/jobs/{job_id}/events", operation=openapi.GET_EVENTS)
    async def get_events(self, request: Request, job_id: str) -> Response:
        """The facts that a job is made of, in the log's order, each with its position."""
        query = EventsQuery.of(request.query_params)
        row = await self.reading.job(job_id, caller_of(request).owner)
        found = await self.read_model.events(job_id, query.after, query.limit)
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
        following = events[-1]["sequence"] if events else query.after
        return success({"events": events, "next": following}, row.position)

    @route("GET", "/api/jobs/{job_id}/deliveries", operation=openapi.GET_DELIVERIES)
    async def get_deliveries(self, request: Request, job_id: str) -> Response:
        """Every attempt to tell the job's webhook, and every request for another one, oldest first."""
        row = await self.reading.job(job_id, caller_of(request).owner)
        attempts = []
        for type_name, time, data in await self.read_model.deliveries(job_id):
            attempt = {name: value for name, value in from_json(data).items() if name not in UNTOLD}
            outcome = delivery_outcome(type_name.split(".")[1])
            failed = {"reason": delivery_reason(attempt)} if "reason" in attempt else {}
            attempts.append({"time": timestamp(time), "outcome": outcome, **attempt, **failed})
        return success({"deliveries": attempts}, row.position)

    @route("GET", "/api/jobs/{job_id}/stream", operation=openapi.STREAM_JOB)
    async def stream_job(self, request: Request, job_id: str) -> Response:
        """A job's changes as they happen. 204 for a client that has seen its end, so that it does not come back."""
        row = await self.reading.job(job_id, caller_of(request).owner)
        known = _known(request.headers.get("last-event-id"))
        if known is not None and row.status.terminal and row.standing.sequence <= known:
            return Response(status_code=204)
        reading = self.reading
        called = client_id(row, await reading.documents(row))
        return StreamingResponse(job_stream(reading, row, called, known), 200, HEADERS, MEDIA_TYPE)


def _known(header: str | None) -> int | None:
    """The last event's id as we gave it; any other text says nothing."""
    if header is None or not header.isascii() or not header.isdecimal() or len(header) > 10:
        return None
    return int(header)
