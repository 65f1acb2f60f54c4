"""`/api/stream`: the changes of all jobs and batches of an owner (docs/contract/additions.md#owner-stream)."""

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.api.http.admission import Activity, admission_of
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
        """Stream the changes of the owner's jobs and batches from now on, or after the event of Last-Event-ID."""
        query = StreamQuery.of(request.query_params)
        last_seen = place_of(request.headers.get("last-event-id"), self.feed.installation)
        admission_of(request).wait_as(Activity.STREAMS)
        begin = self.feed.now() if last_seen is None else last_seen
        events = owner_stream(self.feed, caller_of(request).owner, query, begin, resumed=last_seen is not None)
        return StreamingResponse(events, 200, HEADERS, MEDIA_TYPE)
