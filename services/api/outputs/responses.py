"""Downloads as responses (docs/contract/secretary.md#routes, #archives): files with ranges, archives, and "not yet"."""

import asyncio
import hashlib
import mimetypes
from collections.abc import AsyncIterator
from urllib.parse import quote

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from piperoll.domain.job import Status
from schemas.errors import ErrorCode
from schemas.job_types.archives import Archive, Entry
from services.api.http.answers import JSON
from services.api.http.errors import RETRY_AFTER_S, ApiError
from services.api.outputs.files import Output, Outputs
from services.api.outputs.ranges import UnsatisfiableRangeError, requested_range
from services.api.outputs.zips import ZipMember, zip_length, zipped
from services.api.read_model.job_rows import JobRow

ZIP = "application/zip"
BINARY = "application/octet-stream"
SAFE = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
"""Outputs must never run as pages of this origin."""
NOT_YET = {"status": "processing", "message": "the job has not ended yet: retry later"}


def not_yet() -> Response:
    """Return a 202: the job has not ended (docs/contract/secretary.md#routes)."""
    return Response(to_json(NOT_YET), 202, {"Retry-After": RETRY_AFTER_S}, JSON)


def no_archive(why: str) -> ApiError:
    """Return a 400: the job has ended without such an output."""
    return ApiError(400, ErrorCode.NO_ARCHIVE, why)


def check_completed(row: JobRow) -> None:
    """Raise ApiError NO_ARCHIVE for a job that ended without a result."""
    if row.status is not Status.COMPLETED:
        raise no_archive("the job failed and has nothing to download: see its error")


def file_response(
    request: Request, outputs: Outputs, output: Output, media_type: str | None = None, filename: str | None = None
) -> Response:
    """Return a file or the requested range of it as an attachment, by default under its own name.

    Raises ApiError RANGE_NOT_SATISFIABLE (416).
    """
    tag = f'"{hashlib.sha256(output.uri.encode()).hexdigest()[:32]}"'  # the content of a uri never changes
    headers = {
        **SAFE,
        "Accept-Ranges": "bytes",
        "ETag": tag,
        **_disposition(filename or output.name.rpartition("/")[2]),
    }
    begin, end, status = 0, output.size, 200
    if (part := _requested_part(request, output, tag)) is not None:
        (begin, end), status = part, 206
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{output.size}"
    headers["Content-Length"] = str(end - begin)
    chunks = outputs.chunks(output, begin, end)
    return StreamingResponse(chunks, status, headers, media_type or media_type_of(output.name))


async def archive_response(outputs: Outputs, row: JobRow, archive: Archive) -> Response:
    """Return a ZIP that is made while it is sent. Raises ApiError NOT_FOUND if one of its files was erased."""
    members = await asyncio.gather(*(_member(outputs, row, entry) for entry in archive.entries))
    length = zip_length(members)
    headers = SAFE | _disposition(archive.filename) | ({} if length is None else {"Content-Length": str(length)})
    return StreamingResponse(zipped(members), 200, headers, ZIP)


def media_type_of(name: str) -> str:
    """Return the media type by the name's ending; texts are UTF-8."""
    guessed, encoding = mimetypes.guess_type(name)
    if guessed is None or encoding is not None:
        return BINARY
    return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed


def _requested_part(request: Request, output: Output, tag: str) -> tuple[int, int] | None:
    """Return the requested range; None if If-Range names another version of the file (RFC 9110, 13.1.5)."""
    condition = request.headers.get("if-range")
    if condition is not None and condition != tag:
        return None
    try:
        return requested_range(request.headers.get("range"), output.size)
    except UnsatisfiableRangeError as error:
        headers = {"Content-Range": f"bytes */{output.size}"}
        raise ApiError(416, ErrorCode.RANGE_NOT_SATISFIABLE, str(error), {"size": output.size}, headers) from error


def _disposition(filename: str) -> dict[str, str]:
    """Return the header of RFC 6266: an ASCII name, and the whole name if that differs."""
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%' else "_" for char in filename)
    whole = "" if plain == filename else f"; filename*=UTF-8''{quote(filename, safe='')}"
    return {"Content-Disposition": f'attachment; filename="{plain}"{whole}'}


async def _member(outputs: Outputs, row: JobRow, entry: Entry) -> ZipMember:
    if entry.output is not None:
        output = await outputs.find(row, entry.output)
        return ZipMember(entry.name, output.size, lambda: outputs.chunks(output))

    async def content() -> AsyncIterator[bytes]:
        yield entry.content

    return ZipMember(entry.name, len(entry.content), content)
