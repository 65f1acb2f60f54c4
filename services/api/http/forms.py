"""Forms with at most one file: read as a stream, the file stored in the blob store for the owner's jobs."""

import asyncio
import errno
import mimetypes
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass
from urllib.parse import parse_qsl
from uuid import uuid4

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from piperoll.store.blobs import AsyncBlobs
from schemas.fields import UPLOAD_SCHEME
from services.api.http.admission import admission_of
from services.api.http.bodies import LARGE_BYTES, BodyLimits, drain, is_plain_text, is_utf_8, limited, or_drained
from services.api.http.errors import body_too_large, disk_full, invalid_request
from services.api.http.references import blob_name

FIELD = "file"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FRAMING_BYTES = 64 * 1024  # added to a file by multipart: boundaries, headers, a few small fields
LARGE_FORM_BYTES = 32 * 1024  # parsing more escapes than this would hold the event loop for over 5 ms
MAX_FIELDS = 32  # without the file
MAX_DRAIN_BYTES = 16 * 1024 * 1024
FULL = (errno.ENOSPC, errno.EDQUOT)
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
    field than `file`; BODY_TOO_LARGE (413); QUOTA_EXCEEDED (429); INSUFFICIENT_STORAGE (507).
    """
    media_type = media_type_of(request)
    if media_type not in (MULTIPART, FORM):
        raise invalid_request(f"Content-Type must be {MULTIPART}, not {media_type[:100] or 'missing'}")
    declared = request.headers["content-type"]
    if not is_utf_8(declared):
        raise invalid_request(f"the charset of a form must be UTF-8, not that of {declared[:100]}")
    limit = limits.upload_bytes if media_type == MULTIPART else limits.json_bytes
    with admission_of(request).upload() if media_type == MULTIPART else nullcontext():
        async with aclosing(limited(request, limit, FRAMING_BYTES, held=media_type == FORM)) as stream:
            form = await _parse(request, stream, media_type, limits)
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
    file_id, name = f"file-{uuid4()}", blob_name(upload.filename or "")
    media_type = await _media_type(upload, name)
    claim = await blobs.put_file(f"uploads/{owner}/{file_id}/{name}", upload.file, media_type)
    return StoredUpload(file_id, f"{UPLOAD_SCHEME}{file_id}/{name}", claim.size, claim.sha256, claim.media_type)


async def _parse(
    request: Request, stream: AsyncGenerator[bytes, None], media_type: str, limits: BodyLimits
) -> FormData:
    try:
        if media_type == MULTIPART:
            return await _Multipart(request, stream, limits).parse()
        raw = b"".join([chunk async for chunk in stream])
        return await asyncio.to_thread(_fields, raw) if len(raw) > LARGE_FORM_BYTES else _fields(raw)
    except MultiPartException as error:
        await drain(stream, MAX_DRAIN_BYTES)
        raise invalid_request(f"the form cannot be read: {error.message}") from error
    except OSError as error:  # of the temporary file that holds an upload until it is complete
        if error.errno not in FULL:
            raise
        await drain(stream, MAX_DRAIN_BYTES)
        raise disk_full() from error


class _Multipart(MultiPartParser):
    """Starlette's parser with at most one file, a limit of all texts together, and no charset that may be slow.

    Beyond LARGE_BYTES it reads on when there is room: in memory for texts, on the disk for a file.
    """

    spool_max_size = LARGE_BYTES

    def __init__(self, request: Request, stream: AsyncGenerator[bytes, None], limits: BodyLimits) -> None:
        super().__init__(
            request.headers,
            self._paced(stream),
            max_files=1,
            max_fields=MAX_FIELDS,
            max_part_size=limits.json_bytes,
        )
        self._request = request
        self._limits = limits
        self._text_bytes = 0
        self._file_bytes = 0

    async def _paced(self, stream: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for chunk in stream:
            yield chunk
            if self._text_bytes > LARGE_BYTES:
                held = admission_of(self._request).hold_large_body()
                await or_drained(held, stream, self._limits.json_bytes)
            if self._file_bytes > LARGE_BYTES:
                await or_drained(self._limits.require_room(), stream, MAX_DRAIN_BYTES)

    def on_headers_finished(self) -> None:
        """Refuse a part of an unusual charset."""
        super().on_headers_finished()
        for name, value in self._current_part.item_headers:
            if name == b"content-type" and not is_plain_text(value.decode("latin-1")):
                raise MultiPartException("The charset of a part must be UTF-8.")

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Count the bytes of texts and of the file."""
        if self._current_part.file is not None:
            self._file_bytes += end - start
        else:
            self._text_bytes += end - start
            if self._text_bytes > self.max_part_size:
                raise MultiPartException(f"The texts exceed {self.max_part_size:,} bytes.")
        super().on_part_data(data, start, end)


def _fields(raw: bytes) -> FormData:
    """Parse an urlencoded form. Raises MultiPartException beyond MAX_FIELDS."""
    try:
        fields = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise MultiPartException(f"Too many fields. Maximum number of fields is {MAX_FIELDS}.") from error
    return FormData([*fields])


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
        elif "\x00" in value:
            raise invalid_request(f"the field {name[:50]!r} must not contain a NUL character")
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
