"""The envelopes of docs/contract/secretary.md#conventions as HTTP responses, serialised without a response model."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from services.api.http.errors import ApiError

JSON = "application/json"
POSITION_HEADER = "Piperoll-Position"
DEVANA_PREFIX = "/v1/"
UNSTORED = {"Cache-Control": "no-store"}
"""For answers with secrets: neither client nor proxy may cache them."""


def success(
    data: Any, position: object = None, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return `{"status":"success","data":…}` with the position in the log that the answer reflects."""
    if position is not None:
        headers = {**(headers or {}), POSITION_HEADER: str(position)}
    return Response(to_json({"status": "success", "data": data}), status, headers, JSON)


def devana_success(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return `{"success":true,"data":…}`, the envelope of every path under /v1 (docs/contract/devana.md#envelope)."""
    return Response(to_json({"success": True, "data": data}), status, headers, JSON)


def failure(error: ApiError, path: str) -> Response:
    """Return `{"status":"error","error":{"code","message","details"}}`; under /v1 with `"success":false` as status."""
    flavour = {"success": False} if path.startswith(DEVANA_PREFIX) else {"status": "error"}
    body = {"code": error.code.value, "message": error.message, "details": error.details}
    return Response(to_json({**flavour, "error": body}), error.status, error.headers, JSON)


def has_tag(header: str, tag: str) -> bool:
    """Whether an If-None-Match names a tag (RFC 9110, section 13.1.2)."""
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in header.split(","))


def devana_timestamp(time: datetime) -> str:
    """Return a time as JavaScript writes it: UTC to the millisecond with `Z` (docs/contract/devana.md#envelope)."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def timestamp(time: datetime) -> str:
    """Return a time as RFC 3339 in UTC with `Z`, to the second as in the seed's samples."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
