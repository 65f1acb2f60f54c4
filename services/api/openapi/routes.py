"""`/api/swagger.json`, the OpenAPI document, and `/api/doc`, a page that shows it and works without the internet.

Both need no key, so that an answer costs next to nothing.
"""

from importlib.resources import files

from fastapi import FastAPI
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.api.http.answers import JSON
from services.api.http.routing import Routes, route

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
}


class DocumentationRoutes(Routes, tag="doc"):
    """`/api/swagger.json` and `/api/doc`."""

    @route("GET", "/api/swagger.json")
    async def document(self, request: Request) -> Response:
        """Return the OpenAPI document."""
        return Response(_document(request.app), media_type=JSON)

    @route("GET", "/api/doc", "/api/doc/")
    async def doc(self, request: Request) -> Response:
        """Return the page; it reads /api/swagger.json."""
        page = files("services.api.openapi").joinpath("doc.html").read_text(encoding="utf-8")
        return HTMLResponse(page, headers=HEADERS)


def _document(app: FastAPI) -> bytes:
    """Return the document, which is made and encoded once: that takes ten milliseconds."""
    if not hasattr(app.state, "document"):
        app.state.document = to_json(app.openapi())
    encoded: bytes = app.state.document
    return encoded
