"""`/api/files`: takes one upload, streamed to the blob store; a job then names it by the answered filename."""

import mimetypes
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import uuid4

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response

from services.api import openapi
from services.api.answers import success
from services.api.bodies import drain, limited
from services.api.caller import caller_of
from services.api.errors import body_too_large, invalid_request
from services.api.parts import parts_of
from services.api.references import UPLOAD_SCHEME, upload_name
from services.api.routes.plain import PlainRoute

router = APIRouter(tags=["files"], route_class=PlainRoute)

FIELD = "file"
FRAMING_BYTES = 64 * 1024  # what multipart adds to a file: boundaries, headers, a few small fields
MAX_FIELDS = 16  # beside the file; what they say is not looked at
MAX_DRAIN_BYTES = 16 * 1024 * 1024
PDF_MAGIC = b"%PDF-"
MAGIC_WITHIN_BYTES = 1024  # readers accept junk before the header that far (ISO 32000-1, annex H)


@router.post("/api/files", **openapi.UPLOAD_FILE)
@router.post("/api/files/", include_in_schema=False)
async def upload_file(request: Request) -> Response:
    """Keeps a file for the caller's jobs. The body is never held whole."""
    parts, owner = parts_of(request), caller_of(request).owner
    async with aclosing(limited(request, parts.max_upload_bytes, FRAMING_BYTES)) as stream:
        upload = await _one_file(request, stream)
    try:
        _check_size(upload, parts.max_upload_bytes)
        file_id, name = f"file-{uuid4()}", upload_name(upload.filename or "")
        media_type = await _media_type(upload, name)
        claim = await parts.blobs.put_file(f"uploads/{owner}/{file_id}/{name}", upload.file, media_type)
    finally:
        await upload.close()
    return success(
        {
            "file_id": file_id,
            "filename": f"{UPLOAD_SCHEME}{file_id}/{name}",
            "size": claim.size,
            "sha256": claim.sha256,
            "media_type": claim.media_type,
        }
    )


async def _one_file(request: Request, stream: AsyncGenerator[bytes, None]) -> UploadFile:
    """The file of the only file field. Raises ApiError: INVALID_REQUEST (400), BODY_TOO_LARGE (413)."""
    declared = request.headers.get("content-type", "")
    if not declared.lower().startswith("multipart/form-data"):
        raise invalid_request(f"Content-Type must be multipart/form-data, not {declared[:100] or 'missing'}")
    try:
        form = await MultiPartParser(request.headers, stream, max_files=1, max_fields=MAX_FIELDS).parse()
    except MultiPartException as error:
        await drain(stream, MAX_DRAIN_BYTES)
        raise invalid_request(f"the multipart body is not one file: {error.message}") from error
    upload = form.get(FIELD)
    if not isinstance(upload, UploadFile):
        await form.close()
        raise invalid_request(f"the multipart body has no file in the field {FIELD!r}")
    return upload


def _check_size(upload: UploadFile, limit: int) -> None:
    if not upload.size:
        raise invalid_request("the file is empty")
    if upload.size > limit:
        raise body_too_large(limit)


async def _media_type(upload: UploadFile, name: str) -> str:
    """By the first bytes where they tell, else by the name; what the client declared is not believed."""
    head = await upload.read(MAGIC_WITHIN_BYTES)
    await upload.seek(0)
    if PDF_MAGIC in head:
        return "application/pdf"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
