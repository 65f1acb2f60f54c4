"""`/api/limits`: what the caller's owner may use, and what it uses."""

from starlette.requests import Request
from starlette.responses import Response

from services.api.http.answers import success
from services.api.http.caller import caller_of
from services.api.http.routing import Routes, route
from services.api.quotas import openapi
from services.api.quotas.quotas import Quotas


class QuotaRoutes(Routes, tag="limits"):
    """`/api/limits`."""

    quotas: Quotas

    @route("GET", "/api/limits", "/api/limits/", operation=openapi.GET_LIMITS)
    async def get_limits(self, request: Request) -> Response:
        """Return the limits of the owner and what is used: in the installation, at this process, of one request."""
        return success(await self.quotas.of(caller_of(request).owner))
