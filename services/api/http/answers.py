"""The envelopes of docs/contract/secretary.md#conventions as HTTP responses. Bodies are serialised once, here, without
a response model."""

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
"""For answers that hold secrets: nothing on their way may keep them."""


def success(
    data: Any, position: object = None, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """`{"status":"success","data":…}` with the position in the log that the answer reflects."""
    if position is not None:
        headers = {**(headers or {}), POSITION_HEADER: str(position)}
    return Response(to_json({"status": "success", "data": data}), status, headers, JSON)


def devana_success(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`{"success":true,"data":…}`, the envelope of every path under /v1 (docs/contract/devana.md#envelope)."""
    return Response(to_json({"success": True, "data": data}), status, headers, JSON)


def failure(error: ApiError, path: str) -> Response:
    """`{"status":"error","error":{"code","message","details"}}`; under /v1 `"success":false` stands for the status."""
    flavour = {"success": False} if path.startswith(DEVANA_PREFIX) else {"status": "error"}
    body = {"code": error.code.value, "message": error.message, "details": error.details}
    return Response(to_json({**flavour, "error": body}), error.status, error.headers, JSON)


def devana_timestamp(time: datetime) -> str:
    """As JavaScript writes dates: UTC to the millisecond with `Z` (docs/contract/devana.md#envelope)."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def timestamp(time: datetime) -> str:
    """RFC 3339 in UTC with `Z`, to the second as in the seed's samples."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
