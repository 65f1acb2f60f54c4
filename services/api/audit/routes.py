"""`/api/audit`: who changed keys and who read or erased content, for callers with the scope `admin`."""

from starlette.requests import Request
from starlette.responses import Response

from services.api.audit import openapi
from services.api.audit.reading import AuditQuery, AuditReader
from services.api.http.answers import success
from services.api.http.caller import admin_of
from services.api.http.routing import Routes, route


class AuditRoutes(Routes, tag="keys"):
    """`/api/audit`."""

    reader: AuditReader

    @route("GET", "/api/audit", operation=openapi.LIST)
    async def list_facts(self, request: Request) -> Response:
        """Return the newest audit facts of all owners."""
        admin_of(request)
        return success(await self.reader.facts(AuditQuery.of(request.query_params)))
