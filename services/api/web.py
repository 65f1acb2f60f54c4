"""The FastAPI app: routes, the gate in front of them, and the envelope around every error."""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from piperoll.store.blobs import BlobStoreError
from schemas.errors import SENTENCES, ErrorCode
from services.api.batches.openapi import limit_jobs
from services.api.http.access import Access
from services.api.http.admission import Traffic
from services.api.http.answers import failure
from services.api.http.errors import ApiError, UnavailableError
from services.api.http.gate import Note, RequestGate
from services.api.http.rate_limit import RateLimit
from services.api.http.routing import Routes
from services.api.jobs.openapi import add_job_types

DESCRIPTION = "Document jobs on an event log. Every path except health needs the header Authorization: Bearer <key>."
CODES = {404: ErrorCode.NOT_FOUND, 405: ErrorCode.METHOD_NOT_ALLOWED}


def build_app(
    rooms: Iterable[Routes], access: Access, rate_limit: RateLimit, traffic: Traffic, max_batch_jobs: int, note: Note
) -> FastAPI:
    """Return the app that serves these rooms; their routes are tried in this order. `note` gets answered requests."""
    app = FastAPI(
        title="Piperoll",
        description=DESCRIPTION,
        openapi_url=None,  # FastAPI encodes the document at each request; services.api.openapi.routes serves it
        docs_url=None,  # its page loads scripts from a CDN
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # it looks for providers on every request
        redirect_slashes=False,  # a redirected POST loses its body with some clients
    )
    for room in rooms:
        app.router.routes.extend(room.routes())  # as they are: an included router is a second look-up per request
    app.add_exception_handler(ApiError, _failed)
    app.add_exception_handler(BlobStoreError, _storage_away)
    app.add_exception_handler(HTTPException, _not_served)
    app.add_middleware(RequestGate, access=access, rate_limit=rate_limit, traffic=traffic, note=note)
    _complete(app, max_batch_jobs)
    return app


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return failure(error, request.url.path)


async def _storage_away(request: Request, error: Exception) -> Response:
    """Answer 503: content is stored before a fact names it, so nothing was created."""
    return failure(UnavailableError(ErrorCode.STORAGE_ERROR, SENTENCES[ErrorCode.STORAGE_ERROR]), request.url.path)


async def _not_served(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: unknown paths and methods."""
    assert isinstance(error, HTTPException)
    code = CODES.get(error.status_code, ErrorCode.INVALID_REQUEST)
    message = f"{request.method} {request.url.path[:200]} is not served here; see /api/doc"
    allowed = {"Allow": _allowed(request)} if code is ErrorCode.METHOD_NOT_ALLOWED else error.headers
    return failure(ApiError(error.status_code, code, message, headers=allowed), request.url.path)


def _allowed(request: Request) -> str:
    """Return the methods of all routes of a path, as the framework names those of the first one only. Where a fixed
    path matches, routes with an id in its place do not count."""
    routes = [route for route in request.app.routes if isinstance(route, APIRoute)]
    found = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    fixed = [route for route in found if route.path == request.url.path]
    return ", ".join(sorted({method for route in fixed or found for method in route.methods or ()}))


def _complete(app: FastAPI, max_batch_jobs: int) -> None:
    """Correct the OpenAPI document: add the security scheme, the job types and the limit of a batch, and remove
    FastAPI's 422 for wrong path parameters, which `PlainRoute` never answers."""
    generate = app.openapi

    def completed() -> dict[str, Any]:
        document = generate()
        components = document.setdefault("components", {})
        components.setdefault("securitySchemes", {})["bearer"] = {"type": "http", "scheme": "bearer"}
        add_job_types(document)
        limit_jobs(document, max_batch_jobs)
        for item in document["paths"].values():
            for operation in item.values():
                if operation["responses"].get("422", {}).get("description") == "Validation Error":
                    del operation["responses"]["422"]
        return document

    app.openapi = completed  # type: ignore[method-assign]
