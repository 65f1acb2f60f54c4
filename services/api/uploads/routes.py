"""`/api/files`: one upload, streamed to the blob store; jobs name it by the returned filename."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from piperoll.store.blobs import AsyncBlobs
from services.api.http.answers import success
from services.api.http.bodies import BodyLimits
from services.api.http.caller import caller_of
from services.api.http.errors import invalid_request
from services.api.http.forms import FIELD, form_of, keep_upload
from services.api.http.routing import Routes, route
from services.api.uploads import openapi


class UploadRoutes(Routes, tag="files"):
    """`/api/files`."""

    blobs: AsyncBlobs
    limits: BodyLimits

    @route("POST", "/api/files", "/api/files/", operation=openapi.UPLOAD_FILE)
    async def upload_file(self, request: Request) -> Response:
        """Stores a file for the caller's jobs. The body is never held whole."""
        owner = caller_of(request).owner
        async with form_of(request, self.limits) as form:
            if form.upload is None:
                raise invalid_request(f"the form has no file in the field {FIELD!r}")
            kept = await keep_upload(self.blobs, owner, form.upload, self.limits.upload_bytes)
        return success(asdict(kept))
