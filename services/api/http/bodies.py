"""Reads request bodies: within a limit, and as unambiguous JSON."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.requests import Request

from services.api.http.admission import admission_of
from services.api.http.errors import ApiError, body_too_large, invalid_request

DRAIN_S = 5.0  # for the rest of a refused body, so that the client gets to read the answer
LARGE_BYTES = 256 * 1024  # parsing more than this would hold the event loop for over 5 ms
MAX_DEPTH = 100  # readers parse 200 levels, and what is stored surrounds a body by a few
MAX_CONTAINERS = 250_000  # objects and lists of a body: each takes a hundred times its bytes, and a batch is far below
MAX_VALUES = 500_000  # of a body: fifty for each job of the largest batch
MAX_MEMBERS = 10_000  # of an object: a larger one holds up the process while it is built
MAX_TYPE_CHARS = 1000  # of a Content-Type: its parser takes a microsecond for each parameter
MAX_LENGTH_DIGITS = 18  # of Content-Length
UTF_8 = (b"utf-8", b"utf8", b"us-ascii", b"ascii")
"""The names of UTF-8 in a Content-Type, and of its part for English."""


async def _always() -> None:
    pass


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The most bytes of a JSON body or of a form's texts, and of an uploaded file.

    `require_room` raises ApiError INSUFFICIENT_STORAGE (507) if the disk that files arrive on is nearly full.
    """

    json_bytes: int
    upload_bytes: int
    require_room: Callable[[], Awaitable[None]] = _always


@dataclass(frozen=True, slots=True)
class JsonBody:
    """A JSON object as sent, and the hash of its canonical form: sorted keys, without blanks."""

    value: dict[str, Any]
    sha256: str


async def read_json(request: Request, limit: int, optional: bool = False) -> JsonBody:
    """Return the body as a JSON object; `{}` for an empty one that is `optional`.

    Raises ApiError: INVALID_REQUEST (400), BODY_TOO_LARGE (413).
    """
    raw = b"".join([chunk async for chunk in limited(request, limit, held=True)])
    if optional and not raw:
        return JsonBody({}, "")
    _check_media_type(request.headers)
    if len(raw) > LARGE_BYTES:
        return await admission_of(request).compute(parse_object, raw)
    return parse_object(raw)


async def limited(request: Request, limit: int, framing: int = 0, held: bool = False) -> AsyncGenerator[bytes, None]:
    """Yield the body's chunks. A large one that is `held` in memory waits for its turn, unread.

    Raises ApiError: BODY_TOO_LARGE (413) at the first byte beyond `limit` and `framing`, the bytes that surround the
    content; QUOTA_EXCEEDED (429) if too many large bodies are held.
    """
    declared = request.headers.get("content-length", "")
    seen = 0
    stream = request.stream()
    known = declared.isdecimal() and len(declared) <= MAX_LENGTH_DIGITS
    too_large = known and int(declared) > limit + framing
    if not too_large:
        async for chunk in stream:
            seen += len(chunk)
            if too_large := seen > limit + framing:
                break
            if held and seen > LARGE_BYTES:
                await or_drained(admission_of(request).hold_large_body(), stream, limit)
            yield chunk
    if too_large:
        await drain(stream, limit)
        raise body_too_large(limit)


async def or_drained(required: Awaitable[None], stream: AsyncGenerator[bytes, None], limit: int) -> None:
    """Await what a body needs before it is read on. If it raises an ApiError, read the rest, so that it is answered."""
    try:
        await required
    except ApiError:
        await drain(stream, limit)
        raise


async def drain(stream: AsyncGenerator[bytes, None], at_most: int) -> None:
    """Read on, within DRAIN_S: a connection that is closed with unread data is reset, and the answer is lost."""
    seen = 0
    try:
        async with asyncio.timeout(DRAIN_S):
            async for chunk in stream:
                seen += len(chunk)
                if seen > at_most:
                    return
    except TimeoutError:
        return


def parse_object(raw: bytes) -> JsonBody:
    """Parse a JSON object. Raises ApiError INVALID_REQUEST for anything that two parsers could read differently.

    Refused are: invalid UTF-8, NaN and infinities, numbers out of range, repeated names, NUL characters (which
    Postgres cannot store), nesting beyond MAX_DEPTH, more than MAX_CONTAINERS, MAX_VALUES and MAX_MEMBERS, and anything
    but an object.
    """
    brackets = raw.count(b"{") + raw.count(b"[")
    if brackets > MAX_CONTAINERS or raw.count(b",") > MAX_VALUES:
        _check_counts(_TEXT.sub(b"", raw))
    try:
        value = from_json(raw, allow_inf_nan=False)
        _UNIQUE.decode(raw.decode())
        canonical = _CANONICAL.encode(value)
    except (ValueError, RecursionError) as error:
        raise invalid_request(f"the body is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise invalid_request("the body must be a JSON object")
    if brackets > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise invalid_request(f"the body must not be nested deeper than {MAX_DEPTH} levels")
    if "\\u0000" in canonical and _has_nul(value):
        raise invalid_request("the body must not contain a NUL character (\\u0000)")
    return JsonBody(value, hashlib.sha256(canonical.encode()).hexdigest())


def canonical_sha256(value: Any) -> str:
    """Return the hash that is the same for equal requests."""
    return hashlib.sha256(_CANONICAL.encode(value).encode()).hexdigest()


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) > MAX_MEMBERS:
        raise ValueError(f"an object must not have more than {MAX_MEMBERS:,} members")
    if len(dict(pairs)) == len(pairs):
        return
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise ValueError(f"the name {name[:100]!r} is repeated in one object")
        seen.add(name)


_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_UNIQUE = json.JSONDecoder(object_pairs_hook=_unique)
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(map(_has_nul, value))


def _check_counts(outside: bytes) -> None:
    """Refuse a body by what is outside of its texts."""
    if outside.count(b"{") + outside.count(b"[") > MAX_CONTAINERS:
        raise invalid_request(f"the body must not have more than {MAX_CONTAINERS:,} objects and lists")
    if outside.count(b",") > MAX_VALUES:
        raise invalid_request(f"the body must not have more than {MAX_VALUES:,} values")


def _is_deeper(value: Any, most: int) -> bool:
    """Return whether a value has more than `most` objects and lists within each other."""
    level = [value]
    for _ in range(most):
        inner = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = [part for parts in inner for part in parts]
    return any(isinstance(one, dict | list) for one in level)


def is_utf_8(content_type: str) -> bool:
    """Return whether a Content-Type names UTF-8 or no charset, within MAX_TYPE_CHARS. Other charsets are not decoded:
    some take quadratic time."""
    if ";" not in content_type:
        return True
    return len(content_type) <= MAX_TYPE_CHARS and _charset(content_type) in UTF_8


def is_plain_text(content_type: str) -> bool:
    """Return whether the Content-Type of a form's text names a charset that HTTP libraries declare by default. The text
    is decoded as UTF-8 all the same, and what is not UTF-8 as Latin-1."""
    return _charset(content_type) in (*UTF_8, b"iso-8859-1", b"latin-1")


def _charset(content_type: str) -> bytes:
    _, parameters = parse_options_header(content_type)
    return parameters.get(b"charset", b"utf-8").strip(b"\"' ").lower()


def _check_media_type(headers: Headers) -> None:
    """Raise ApiError INVALID_REQUEST unless it is JSON or missing (docs/contract/secretary.md#validation)."""
    declared = headers.get("content-type", "").lower()
    media_type = declared.partition(";")[0].strip()
    if media_type and media_type != "application/json" and not media_type.endswith("+json"):
        raise _wrong_media_type(media_type)
    if not is_utf_8(declared):
        raise _wrong_media_type(declared)


def _wrong_media_type(declared: str) -> ApiError:
    return invalid_request(f"Content-Type must be application/json in UTF-8, not {declared[:100]}")
