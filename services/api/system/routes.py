"""`/api/system`: the whole installation, for callers with the scope `admin` (docs/contract/additions.md#system)."""

from starlette.requests import Request
from starlette.responses import Response

from services.api.http.answers import success
from services.api.http.caller import admin_of
from services.api.http.routing import Routes, route
from services.api.system import openapi
from services.api.system.letters import Letters
from services.api.system.overview import Overview


class SystemRoutes(Routes, tag="system"):
    """`/api/system`."""

    overview: Overview
    letters: Letters

    @route("GET", "/api/system", "/api/system/", operation=openapi.GET)
    async def get_system(self, request: Request) -> Response:
        """Return the state of services, queue, receivers and dead letters, with plots of the last hour and day."""
        admin_of(request)
        return success(await self.overview.now())

    @route("POST", "/api/system/dead-letters/{letter_id}/redrive", operation=openapi.REDRIVE)
    async def redrive(self, request: Request, letter_id: str) -> Response:
        """Put the parked records of a key back into their topic, in their order. It is noted in the audit."""
        done = await self.letters.redrive(letter_id, admin_of(request))
        self.overview.forget()
        return success(done)
