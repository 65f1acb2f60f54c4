"""Who calls: what the gate found out about a request before any route sees it."""

import re
from dataclasses import dataclass

from starlette.requests import Request

from services.api.http.errors import forbidden, invalid_request

ADMIN = "admin"
MAX_KEY_CHARS = 255
MAX_USER_CHARS = 255
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of the key, what the key may do, and the trace that the request belongs to."""

    owner: str
    key_id: str
    scopes: frozenset[str]
    traceparent: str | None = None

    def may(self, scope: str) -> bool:
        """Whether the key's scopes cover `scope`; `admin` covers every one."""
        return scope in self.scopes or ADMIN in self.scopes


def caller_of(request: Request) -> Caller:
    """The caller that the gate let in."""
    caller = request.scope["piperoll.caller"]
    assert isinstance(caller, Caller)
    return caller


def admin_of(request: Request) -> Caller:
    """The caller, who must be an admin. Raises ApiError FORBIDDEN (403)."""
    caller = caller_of(request)
    if not caller.may(ADMIN):
        raise forbidden(ADMIN)
    return caller


def valid_traceparent(header: bytes) -> str | None:
    """A W3C trace context of any version, or None."""
    return header.decode() if _TRACEPARENT.fullmatch(header) else None


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key, or None. Raises ApiError INVALID_REQUEST for an empty or too long one."""
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= MAX_KEY_CHARS:
        raise invalid_request(f"Idempotency-Key must have 1 to {MAX_KEY_CHARS} characters")
    return key


def header_user(request: Request) -> str | None:
    """X-User-ID, a label for what the request creates. Raises ApiError INVALID_REQUEST."""
    user = request.headers.get("x-user-id")
    if user is not None and not (1 <= len(user) <= MAX_USER_CHARS and user.isprintable()):
        raise invalid_request(f"X-User-ID must have 1 to {MAX_USER_CHARS} printable characters")
    return user
