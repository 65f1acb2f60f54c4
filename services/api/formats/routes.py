"""`/api/formats`: the kinds of files that an extraction reads, how well, and those that it refuses."""

from starlette.requests import Request
from starlette.responses import Response

from services.api.formats import openapi
from services.api.formats.views import formats
from services.api.http.answers import success
from services.api.http.routing import Routes, route


class FormatRoutes(Routes, tag="formats"):
    """`/api/formats`, the same for all owners."""

    @route("GET", "/api/formats", "/api/formats/", operation=openapi.LIST_FORMATS)
    async def list_formats(self, request: Request) -> Response:
        """Return what `extraction` jobs read and refuse."""
        return success(formats())
