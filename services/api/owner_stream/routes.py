"""`/api/stream`: an owner's jobs and batches, followed all at once (contract 2e)."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.api.http.caller import caller_of
from services.api.http.plain_route import PlainRoute
from services.api.jobs.stream import HEADERS, MEDIA_TYPE
from services.api.owner_stream import openapi as openapi_stream
from services.api.owner_stream.stream import owner_stream, place_of, stream_filter
from services.api.parts import parts_of

router = APIRouter(tags=["jobs"], route_class=PlainRoute)


@router.get("/api/stream", **openapi_stream.STREAM)
async def stream(request: Request) -> Response:
    """The changes of the owner's jobs and batches: from now on, or behind the event that Last-Event-ID names."""
    asked, known = stream_filter(request.query_params), place_of(request.headers.get("last-event-id"))
    feed, owner = parts_of(request).changes, caller_of(request).owner
    begin = feed.now() if known is None else known
    events = owner_stream(feed, owner, asked, begin, resumed=known is not None)
    return StreamingResponse(events, 200, HEADERS, MEDIA_TYPE)
