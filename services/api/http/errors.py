"""What a request can be refused with (contract 1, 2b and 16). Sentences for clients: never a secret, never a trace."""

from collections.abc import Mapping
from typing import Any

from schemas.errors import ErrorCode

RETRY_AFTER_S = "2"  # long enough for a restart of Postgres or a new Kafka leader, short enough for a person


class ApiError(Exception):
    """Ends a request with an error answer. `details` must be plain JSON."""

    def __init__(
        self,
        status: int,
        code: ErrorCode,
        message: str,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = dict(details or {})
        self.headers = dict(headers or {})


class UnavailableError(ApiError):
    """A part that the answer needs does not answer; the same request may succeed in a moment."""

    def __init__(self, code: ErrorCode, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(503, code, message, details, {"Retry-After": RETRY_AFTER_S})


class ReadModelUnavailableError(UnavailableError):
    """The read model does not answer, or is not known to have caught up."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.READ_MODEL_UNAVAILABLE, message)


def invalid_request(message: str, **details: Any) -> ApiError:
    """400: the request as such is malformed."""
    return ApiError(400, ErrorCode.INVALID_REQUEST, message, details)


def invalid_parameters(message: str, fields: list[dict[str, str]], supported: Any = None) -> ApiError:
    """400: parameters of the right shape of request, but wrong. `fields` are [{field, message}]."""
    details: dict[str, Any] = {"fields": fields}
    if supported is not None:
        details["supported"] = supported
    return ApiError(400, ErrorCode.INVALID_PARAMETERS, message, details)


def invalid_field(field: str, message: str, supported: Any = None) -> ApiError:
    """400: one parameter is wrong."""
    return invalid_parameters(f"{field}: {message}", [{"field": field, "message": message}], supported)


def unauthorized() -> ApiError:
    """401: no key, or an invalid one. The text is upstream's (contract 1)."""
    return ApiError(
        401,
        ErrorCode.UNAUTHORIZED,
        "Invalid or missing service token",
        headers={"WWW-Authenticate": "Bearer"},
    )


def forbidden(scope: str) -> ApiError:
    """403: the key is valid but lacks a scope."""
    return ApiError(403, ErrorCode.FORBIDDEN, f"this key lacks the scope {scope!r}")


def not_found(what: str, **details: Any) -> ApiError:
    """404: `what` (job, batch) does not exist, or belongs to another owner."""
    return ApiError(404, ErrorCode.NOT_FOUND, f"{what} not found", details)


def idempotency_conflict() -> ApiError:
    """422: the Idempotency-Key belongs to another request (contract 2e)."""
    message = "this Idempotency-Key was used for another request body: use a new key for a new request"
    return ApiError(422, ErrorCode.IDEMPOTENCY_CONFLICT, message)


def body_too_large(limit: int) -> ApiError:
    """413: the body has more than `limit` bytes."""
    return ApiError(413, ErrorCode.BODY_TOO_LARGE, f"the body is larger than {limit:,} bytes", {"limit_bytes": limit})
