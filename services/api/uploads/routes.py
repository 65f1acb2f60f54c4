"""`/api/files`: takes one upload, streamed to the blob store; a job then names it by the answered filename."""

from dataclasses import asdict

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.api.http.answers import success
from services.api.http.caller import caller_of
from services.api.http.errors import invalid_request
from services.api.http.forms import FIELD, form_of, keep_upload
from services.api.http.plain_route import PlainRoute
from services.api.jobs import openapi
from services.api.parts import parts_of

router = APIRouter(tags=["files"], route_class=PlainRoute)


@router.post("/api/files", **openapi.UPLOAD_FILE)
@router.post("/api/files/", include_in_schema=False)
async def upload_file(request: Request) -> Response:
    """Keeps a file for the caller's jobs. The body is never held whole."""
    parts, owner = parts_of(request), caller_of(request).owner
    async with form_of(request, parts.max_upload_bytes, parts.max_body_bytes) as form:
        if form.upload is None:
            raise invalid_request(f"the form has no file in the field {FIELD!r}")
        kept = await keep_upload(parts.blobs, owner, form.upload, parts.max_upload_bytes)
    return success(asdict(kept))
