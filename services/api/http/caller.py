"""The caller of a request, as the gate identified it, and the headers that callers send."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from piperoll.keys import COVERED_BY
from services.api.http.errors import forbidden, invalid_request

ADMIN = "admin"
BEARER = b"bearer "
SESSION_COOKIE = "piperoll_session"
READ = "piperoll.read"
"""The key of a request's scope for the job that it read, where the path does not name it."""
_PORT = re.compile(rb":([0-9]{1,5})$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of the key, its scopes, and the trace that the request belongs to."""

    owner: str
    key_id: str
    scopes: frozenset[str]
    traceparent: str | None = None
    session_ends_at: datetime | None = None
    """The end of the session by which the request came; None for a request with a key."""

    def may(self, scope: str) -> bool:
        """Return whether the key's scopes cover `scope` (`piperoll.keys.SCOPES`)."""
        return not self.scopes.isdisjoint(COVERED_BY.get(scope, (scope, ADMIN)))


def caller_of(request: Request) -> Caller:
    """Return the caller that the gate identified."""
    caller = request.scope["piperoll.caller"]
    assert isinstance(caller, Caller)
    return caller


def note_read(request: Request, job_id: str) -> None:
    """Have the audit name a job whose content the answer is made of, where the path of the request does not name it."""
    request.scope[READ] = job_id


def admin_of(request: Request) -> Caller:
    """Return the caller. Raises ApiError FORBIDDEN (403) unless it is an admin."""
    caller = caller_of(request)
    if not caller.may(ADMIN):
        raise forbidden(ADMIN)
    return caller


def key_in(headers: Mapping[bytes, bytes]) -> bytes | None:
    """Return the key that a request sends; None if it sends none."""
    authorization = headers.get(b"authorization", b"")
    if authorization[: len(BEARER)].lower() == BEARER:
        return authorization[len(BEARER) :].strip()
    return headers.get(b"x-secretary-api-key")


def session_in(headers: Mapping[bytes, bytes]) -> str | None:
    """Return the token of the session whose cookie a request sends; None if it sends none."""
    wanted = session_cookie(headers).encode()
    for part in headers.get(b"cookie", b"").split(b";"):
        name, _, value = part.partition(b"=")
        if name.strip() == wanted:
            return value.strip().decode("latin-1")
    return None


def session_cookie(headers: Mapping[bytes, bytes]) -> str:
    """Return the name of the session's cookie, with the port that a browser asked, if it named one.

    Browsers have the cookies of a host for all its ports, and several installations may run on one machine.
    """
    port = _PORT.search(headers.get(b"host", b""))
    return SESSION_COOKIE if port is None else f"{SESSION_COOKIE}_{port[1].decode()}"


def is_own_origin(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a browser sent the request from a page of this host. The scheme may be that of a proxy in front."""
    scheme, _, host = headers.get(b"origin", b"").lower().partition(b"://")
    return scheme in (b"http", b"https") and host != b"" and host == headers.get(b"host", b"").lower()


def valid_traceparent(header: bytes) -> str | None:
    """Return a W3C trace context of any version; None for any other text."""
    return header.decode() if _TRACEPARENT.fullmatch(header) else None


@dataclass(frozen=True, slots=True)
class TextHeader:
    """A request header with a text of bounded length, without ASCII's control characters. Bytes that are not ASCII are
    read as Latin-1, so that those of UTF-8 may look like control characters; a `printable` one has none of them.
    """

    name: str
    printable: bool = False
    max_length: int = 255

    def of(self, request: Request) -> str | None:
        """Return its text, or None. Raises ApiError INVALID_REQUEST (400)."""
        text = request.headers.get(self.name)
        if text is None or (1 <= len(text) <= self.max_length and self._is_allowed(text)):
            return text
        raise invalid_request(f"{self.name} must have 1 to {self.max_length} {'printable ' * self.printable}characters")

    def _is_allowed(self, text: str) -> bool:
        return text.isprintable() if self.printable else not _CONTROL.search(text)


IDEMPOTENCY_KEY = TextHeader("Idempotency-Key")
"""A repeat of a request with the same key is the same request."""
USER_ID = TextHeader("X-User-ID", printable=True)
"""A label for what a request creates."""
