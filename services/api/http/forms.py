"""Forms with at most one file: read as they arrive, the file kept in the blob store for the owner's jobs."""

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
FRAMING_BYTES = 64 * 1024  # what multipart adds to a file: boundaries, headers, a few small fields
MAX_FIELDS = 32  # beside the file
MAX_DRAIN_BYTES = 16 * 1024 * 1024
PDF_MAGIC = b"%PDF-"
MAGIC_WITHIN_BYTES = 1024  # readers accept junk before the header that far (ISO 32000-1, annex H)


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its texts by field, and its file if it has one."""

    texts: Mapping[str, str]
    upload: UploadFile | None


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """An upload in the blob store; `filename` is what a job names it by."""

    file_id: str
    filename: str
    size: int
    sha256: str
    media_type: str


@asynccontextmanager
async def form_of(request: Request, limits: BodyLimits) -> AsyncIterator[Form]:
    """The form in a request's body; its file is gone after the block.

    Raises ApiError: INVALID_REQUEST (400) for another media type, a field twice, two files, or a file in another field
    than `file`; BODY_TOO_LARGE (413).
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in (MULTIPART, FORM):
        raise invalid_request(f"Content-Type must be {MULTIPART}, not {media_type[:100] or 'missing'}")
    limit = limits.upload_bytes if media_type == MULTIPART else limits.json_bytes
    async with aclosing(limited(request, limit, FRAMING_BYTES)) as stream:
        form = await _parse(request, stream, media_type, limits.json_bytes)
    try:
        yield _form(form)
    finally:
        await form.close()


async def keep_upload(blobs: AsyncBlobs, owner: str, upload: UploadFile, limit: int) -> StoredUpload:
    """Streams a file to the blob store. Raises ApiError: INVALID_REQUEST for an empty one, BODY_TOO_LARGE."""
    if not upload.size:
        raise invalid_request("the file is empty")
    if upload.size > limit:
        raise body_too_large(limit)
    file_id, name = f"file-{uuid4()}", upload_name(upload.filename or "")
    media_type = await _media_type(upload, name)
    claim = await blobs.put_file(f"uploads/{owner}/{file_id}/{name}", upload.file, media_type)
    return StoredUpload(file_id, f"{UPLOAD_SCHEME}{file_id}/{name}", claim.size, claim.sha256, claim.media_type)


async def _parse(
    request: Request, stream: AsyncGenerator[bytes, None], media_type: str, max_text_bytes: int
) -> FormData:
    parser: MultiPartParser | FormParser
    if media_type == MULTIPART:
        parser = MultiPartParser(
            request.headers, stream, max_files=1, max_fields=MAX_FIELDS, max_part_size=max_text_bytes
        )
    else:
        parser = FormParser(request.headers, stream, max_fields=MAX_FIELDS, max_part_size=max_text_bytes)
    try:
        return await parser.parse()
    except MultiPartException as error:
        await drain(stream, MAX_DRAIN_BYTES)
        raise invalid_request(f"the form cannot be read: {error.message}") from error


def _form(form: FormData) -> Form:
    texts: dict[str, str] = {}
    upload: UploadFile | None = None
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if name != FIELD:
                raise invalid_request(f"the form has a file in the field {name[:50]!r}, which belongs in {FIELD!r}")
            upload = value
        elif name in texts:
            raise invalid_request(f"the form has the field {name[:50]!r} twice")
        else:
            texts[name] = value
    return Form(texts, upload)


async def _media_type(upload: UploadFile, name: str) -> str:
    """By the first bytes, else by the name; the client's declaration is not trusted."""
    head = await upload.read(MAGIC_WITHIN_BYTES)
    await upload.seek(0)
    if PDF_MAGIC in head:
        return "application/pdf"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
