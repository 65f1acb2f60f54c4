"""The envelopes of contract 1 as HTTP responses. Bodies are serialised once, here, without a response model."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from services.api.errors import ApiError

JSON = "application/json"
POSITION_HEADER = "Piperoll-Position"


def success(
    data: Any, position: object = None, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """`{"status":"success","data":…}` with the position in the log that the answer reflects."""
    response = Response(to_json({"status": "success", "data": data}), status, headers, JSON)
    if position is not None:
        response.headers[POSITION_HEADER] = str(position)
    return response


def failure(error: ApiError) -> Response:
    """`{"status":"error","error":{"code","message","details"}}`."""
    body = {"code": error.code.value, "message": error.message, "details": error.details}
    return Response(to_json({"status": "error", "error": body}), error.status, error.headers, JSON)


def timestamp(time: datetime) -> str:
    """RFC 3339 in UTC with `Z`, to the second as in the seed's samples."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
