"""Forms with at most one file: read as a stream, the file stored in the blob store for the owner's jobs."""

import mimetypes
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request

from piperoll.store.blobs import AsyncBlobs
from services.api.http.bodies import BodyLimits, drain, limited
from services.api.http.errors import body_too_large, invalid_request
from services.api.http.references import UPLOAD_SCHEME, upload_name

FIELD = "file"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FRAMING_BYTES = 64 * 1024  # added to a file by multipart: boundaries, headers, a few small fields
MAX_FIELDS = 32  # without the file
MAX_DRAIN_BYTES = 16 * 1024 * 1024
PDF_MAGIC = b"%PDF-"
MAGIC_WITHIN_BYTES = 1024  # readers accept junk before the header that far (ISO 32000-1, annex H)


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its texts by field, and its file or None."""

    texts: Mapping[str, str]
    upload: UploadFile | None


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """An upload in the blob store; jobs refer to it by its `filename`."""

    file_id: str
    filename: str
    size: int
    sha256: str
    media_type: str


@asynccontextmanager
async def form_of(request: Request, limits: BodyLimits) -> AsyncIterator[Form]:
    """Yield the form in a request's body; its file is deleted after the block.

    Raises ApiError: INVALID_REQUEST (400) for another media type, a repeated field, two files, or a file in another
    field than `file`; BODY_TOO_LARGE (413).
    """
    media_type = media_type_of(request)
    if media_type not in (MULTIPART, FORM):
        raise invalid_request(f"Content-Type must be {MULTIPART}, not {media_type[:100] or 'missing'}")
    limit = limits.upload_bytes if media_type == MULTIPART else limits.json_bytes
    async with aclosing(limited(request, limit, FRAMING_BYTES)) as stream:
        form = await _parse(request, stream, media_type, limits.json_bytes)
    try:
        yield _form(form)
    finally:
        await form.close()


def media_type_of(request: Request) -> str:
    """Return the media type that Content-Type names, without its parameters; empty if there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def check_size(upload: UploadFile, limit: int) -> None:
    """Raise ApiError: INVALID_REQUEST (400) for an empty file, BODY_TOO_LARGE (413) for one beyond `limit` bytes."""
    if not upload.size:
        raise invalid_request("the file is empty")
    if upload.size > limit:
        raise body_too_large(limit)


async def store_upload(blobs: AsyncBlobs, owner: str, upload: UploadFile, limit: int) -> StoredUpload:
    """Store a file in the blob store. Raises as `check_size`."""
    check_size(upload, limit)
    file_id, name = f"file-{uuid4()}", upload_name(upload.filename or "")
    media_type = await _media_type(upload, name)
    claim = await blobs.put_file(f"uploads/{owner}/{file_id}/{name}", upload.file, media_type)
    return StoredUpload(file_id, f"{UPLOAD_SCHEME}{file_id}/{name}", claim.size, claim.sha256, claim.media_type)


async def _parse(
    request: Request, stream: AsyncGenerator[bytes, None], media_type: str, max_text_bytes: int
) -> FormData:
    limits = {"max_fields": MAX_FIELDS, "max_part_size": max_text_bytes}
    try:
        if media_type == MULTIPART:
            return await MultiPartParser(request.headers, stream, max_files=1, **limits).parse()
        return await FormParser(request.headers, stream, **limits).parse()
    except MultiPartException as error:
        await drain(stream, MAX_DRAIN_BYTES)
        raise invalid_request(f"the form cannot be read: {error.message}") from error


def _form(form: FormData) -> Form:
    texts: dict[str, str] = {}
    upload: UploadFile | None = None
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if name != FIELD:
                raise invalid_request(f"the file must be in the field {FIELD!r}, not in {name[:50]!r}")
            upload = value
        elif name in texts:
            raise invalid_request(f"the field {name[:50]!r} is repeated in the form")
        else:
            texts[name] = value
    return Form(texts, upload)


async def _media_type(upload: UploadFile, name: str) -> str:
    """Return the media type by the first bytes, else by the name; the client's declaration is not trusted."""
    head = await upload.read(MAGIC_WITHIN_BYTES)
    await upload.seek(0)
    if PDF_MAGIC in head:
        return "application/pdf"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
