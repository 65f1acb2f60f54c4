"""`/api/doc`: the OpenAPI document as a self-contained page, which works without the internet."""

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.api.http.routing import Routes, route

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
}


class DocumentationRoutes(Routes, tag="doc"):
    """`/api/doc`."""

    @route("GET", "/api/doc", "/api/doc/")
    async def doc(self, request: Request) -> Response:
        """Return the page; it reads /api/swagger.json."""
        page = files("services.api.openapi").joinpath("doc.html").read_text(encoding="utf-8")
        return HTMLResponse(page, headers=HEADERS)
