"""`/api/doc`: the OpenAPI document as a page that needs nothing from elsewhere, so it works without the internet."""

from importlib.resources import files

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.api.http.plain_route import PlainRoute

router = APIRouter(route_class=PlainRoute)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
}


@router.get("/api/doc", include_in_schema=False)
@router.get("/api/doc/", include_in_schema=False)
async def doc(request: Request) -> Response:
    """The page; it reads /api/swagger.json."""
    return HTMLResponse(files("services.api.openapi").joinpath("doc.html").read_text(encoding="utf-8"), headers=HEADERS)
