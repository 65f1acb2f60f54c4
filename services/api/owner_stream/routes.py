"""`/api/stream`: an owner's jobs and batches, followed all at once (contract 2e)."""

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.api.http.caller import caller_of
from services.api.http.routing import Routes, route
from services.api.jobs.stream import HEADERS, MEDIA_TYPE
from services.api.owner_stream import openapi
from services.api.owner_stream.changes import ChangeFeed
from services.api.owner_stream.stream import StreamQuery, owner_stream, place_of


class OwnerStreamRoutes(Routes, tag="jobs"):
    """`/api/stream`."""

    feed: ChangeFeed

    @route("GET", "/api/stream", operation=openapi.STREAM)
    async def stream(self, request: Request) -> Response:
        """The changes of the owner's jobs and batches: from now on, or behind the event that Last-Event-ID names."""
        asked, known = StreamQuery.of(request.query_params), place_of(request.headers.get("last-event-id"))
        owner = caller_of(request).owner
        begin = self.feed.now() if known is None else known
        events = owner_stream(self.feed, owner, asked, begin, resumed=known is not None)
        return StreamingResponse(events, 200, HEADERS, MEDIA_TYPE)
