"""`/api/files`: one upload, streamed to the blob store; jobs refer to it by the returned filename."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from piperoll.store.blobs import AsyncBlobs
from services.api.http.answers import success
from services.api.http.bodies import BodyLimits
from services.api.http.caller import caller_of
from services.api.http.errors import invalid_request
from services.api.http.forms import FIELD, form_of, store_upload
from services.api.http.routing import Routes, route
from services.api.openapi import examples
from services.api.openapi.grammar import BYTES, data, form_body, operation
from services.api.quotas.quotas import Quotas

_FORM = {"type": "object", "required": ["file"], "properties": {"file": BYTES}}

UPLOAD_FILE = operation(
    "Upload a file",
    {200: data(examples.UPLOAD, "Stored")},
    (400, 507),
    form_body(_FORM, {"file": "(the file's bytes)"}),
)


class UploadRoutes(Routes, tag="files"):
    """`/api/files`."""

    blobs: AsyncBlobs
    limits: BodyLimits
    quotas: Quotas

    @route("POST", "/api/files", "/api/files/", operation=UPLOAD_FILE)
    async def upload_file(self, request: Request) -> Response:
        """Store a file for the caller's jobs. The body is never held whole in memory."""
        owner = caller_of(request).owner
        async with form_of(request, self.limits) as form:
            if form.upload is None:
                raise invalid_request(f"the form has no file in the field {FIELD!r}")
            await self.quotas.admit_upload(owner, form.upload.size or 0)
            kept = await store_upload(self.blobs, owner, form.upload, self.limits.upload_bytes)
        return success(asdict(kept))
