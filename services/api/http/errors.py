"""The errors of requests (docs/contract/secretary.md#conventions, #validation, #codes). Messages hold no secrets."""

from collections.abc import Mapping
from typing import Any

from schemas.errors import ErrorCode

DISK_RETRY_S = 60
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
    """A part of the system does not answer; the same request may succeed in a moment."""

    def __init__(self, code: ErrorCode, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(503, code, message, details, {"Retry-After": RETRY_AFTER_S})


class ReadModelUnavailableError(UnavailableError):
    """The read model does not answer, or may not have caught up."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.READ_MODEL_UNAVAILABLE, message)


def invalid_request(message: str, **details: Any) -> ApiError:
    """Return a 400 for a malformed request."""
    return ApiError(400, ErrorCode.INVALID_REQUEST, message, details)


def invalid_parameters(message: str, fields: list[dict[str, str]], supported: Any = None) -> ApiError:
    """Return a 400 for wrong values in a well-formed request. `fields` are [{field, message}]."""
    details: dict[str, Any] = {"fields": fields}
    if supported is not None:
        details["supported"] = supported
    return ApiError(400, ErrorCode.INVALID_PARAMETERS, message, details)


def invalid_field(field: str, message: str, supported: Any = None) -> ApiError:
    """Return a 400 for one wrong value."""
    return invalid_parameters(f"{field}: {message}", [{"field": field, "message": message}], supported)


def in_member(error: ApiError, index: int) -> ApiError:
    """Return the error with the index of the batch's job that it is about."""
    error.details["index"] = index
    error.message = f"jobs[{index}]: {error.message}"
    return error


def unauthorized() -> ApiError:
    """Return a 401 with upstream's text (docs/contract/secretary.md#conventions)."""
    return ApiError(
        401, ErrorCode.UNAUTHORIZED, "Invalid or missing service token", headers={"WWW-Authenticate": "Bearer"}
    )


def session_ended() -> ApiError:
    """Return a 401 for a request with the cookie of a session (docs/contract/additions.md#sessions)."""
    message = "the session has ended: sign in with an API key, or with a new link, which `piperoll link` prints"
    return ApiError(401, ErrorCode.UNAUTHORIZED, message, headers={"WWW-Authenticate": "Bearer"})


def foreign_origin(has_origin: bool) -> ApiError:
    """Return a 403 for a request that another page may have sent with the cookie of a session."""
    sender = "of another origin" if has_origin else "without an Origin"
    message = f"a request {sender} changes nothing by a session: send it from the page of this host, or with an API key"
    return ApiError(403, ErrorCode.FOREIGN_ORIGIN, message)


def forbidden(scope: str) -> ApiError:
    """Return a 403 for a valid key that lacks a scope."""
    return ApiError(403, ErrorCode.FORBIDDEN, f"this key lacks the scope {scope!r}")


def not_found(what: str, **details: Any) -> ApiError:
    """Return a 404: `what` (job, batch) does not exist, or belongs to another owner."""
    return ApiError(404, ErrorCode.NOT_FOUND, f"{what} not found", details)


def conflict(message: str, **details: Any) -> ApiError:
    """Return a 409: the state of the resource does not allow the request."""
    return ApiError(409, ErrorCode.CONFLICT, message, details)


def idempotency_conflict() -> ApiError:
    """Return a 422: the Idempotency-Key belongs to another request (docs/contract/additions.md#idempotency)."""
    message = "this Idempotency-Key was used for another request body: use a new key for a new request"
    return ApiError(422, ErrorCode.IDEMPOTENCY_CONFLICT, message)


def body_too_large(limit: int) -> ApiError:
    """Return a 413: the body has more than `limit` bytes."""
    return ApiError(413, ErrorCode.BODY_TOO_LARGE, f"the body is larger than {limit:,} bytes", {"limit_bytes": limit})


def disk_full() -> ApiError:
    """Return a 507: a disk that new content needs has too little room."""
    message = (
        f"the disk of this installation is nearly full: nothing new is taken until its operator has made room; "
        f"delete jobs and documents that are not needed, and try again in {DISK_RETRY_S} s"
    )
    headers = {"Retry-After": str(DISK_RETRY_S)}
    return ApiError(507, ErrorCode.INSUFFICIENT_STORAGE, message, {"quota": "free_space"}, headers)
