"""The entrance to the app, as plain ASGI: authenticates callers, counts requests, wraps errors in the envelope.

Under /v1 a key has a rate limit (docs/contract/devana.md#rate-limit), which every answer there reports.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.errors import ErrorCode
from services.api import metrics
from services.api.http.access import Access
from services.api.http.admission import Traffic
from services.api.http.answers import DEVANA_PREFIX, failure
from services.api.http.caller import READ, Caller, is_own_origin, key_in, session_in, valid_traceparent
from services.api.http.database import TURNS
from services.api.http.errors import ApiError, ReadModelUnavailableError, forbidden, foreign_origin
from services.api.http.rate_limit import RateLimit

log = structlog.get_logger()

PUBLIC = ("/api/health", "/api/doc", "/api/swagger.json", "/page")
"""Paths that need no key, and all below them; beside these are the page itself and the request that signs in."""
SESSION_PATH = "/api/session"
"""Requests about the caller's session, here and below, need a key of any scope."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods for which the scope `read` is enough; all others need `submit`."""
EVENT_STREAM = b"text/event-stream"


Note = Callable[[Caller, str, str, str | None, bool], None]
"""Notes a request that was answered with success: its caller, method, route, what it is about, and whether that was
read whatever the method."""


class RequestGate:
    """Requires a key for every path except the public ones, even for unknown paths, so that paths cannot be probed."""

    def __init__(self, app: ASGIApp, access: Access, rate_limit: RateLimit, traffic: Traffic, note: Note) -> None:
        self._app = app
        self._note = note
        self._access = access
        self._traffic = traffic
        self._rate_limit = rate_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection as the ASGI specification defines it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        began = time.perf_counter()
        metrics.IN_FLIGHT.inc()
        try:
            await self._enter(scope, receive, answer)
        finally:
            metrics.IN_FLIGHT.dec()
            taken = time.perf_counter() - began
            metrics.answered(scope["method"], _route(scope), answer.status, taken)
            if 200 <= answer.status < 300 and "piperoll.caller" in scope:
                subject = scope.get(READ) or _subject(scope)
                self._note(scope["piperoll.caller"], scope["method"], _route(scope), subject, READ in scope)
            log.debug("request", path=scope["path"], status=answer.status, seconds=round(taken, 4))

    async def _enter(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        try:
            if _is_public(scope["method"], scope["path"]):
                await self._app(scope, receive, answer)
                return
            headers = dict(scope["headers"])
            caller = scope["piperoll.caller"] = await self._caller(scope["method"], scope["path"], headers)
            answer.may_go_on = partial(self._is_valid, headers)
            admission = scope["piperoll.admission"] = self._traffic.enter(caller.owner)
            TURNS.set(admission.turns)
            with closing(admission):
                if admission.wait_s:
                    await asyncio.sleep(admission.wait_s)
                if scope["path"].startswith(DEVANA_PREFIX):
                    await self._count(caller, answer)
                await self._app(scope, receive, answer)
        except ApiError as error:
            await failure(error, scope["path"])(scope, receive, answer)
        except ClientDisconnect:
            log.debug("client_left", path=scope["path"])
        except Exception as error:
            log.exception("request_failed", path=scope["path"], error=repr(error))
            if answer.begun:
                raise  # half an answer cannot be taken back: the server closes the connection
            internal = ApiError(500, ErrorCode.INTERNAL_ERROR, "internal error; it was logged")
            await failure(internal, scope["path"])(scope, receive, answer)

    async def _count(self, caller: Caller, answer: "_Answer") -> None:
        try:
            quota = await self._rate_limit.count(caller.key_id)
        except ReadModelUnavailableError:
            return  # not counted while Postgres is away: requests that only need the log succeed, reads answer 503
        answer.add_headers(quota.headers)
        if not quota.admitted:
            raise quota.refusal()

    async def _is_valid(self, headers: dict[bytes, bytes]) -> bool:
        """Whether a new request with the key or session would be let in. Costs no query while this process hears of
        changes."""
        try:
            await self._identified(headers)
        except ApiError:
            return False
        return True

    async def _identified(self, headers: dict[bytes, bytes]) -> Caller:
        """Return the caller by the key, or by the session if no key was sent."""
        key = key_in(headers)
        if key is None and (session := session_in(headers)) is not None:
            return await self._access.session_caller(session)
        return await self._access.caller(key)

    async def _caller(self, method: str, path: str, headers: dict[bytes, bytes]) -> Caller:
        caller = await self._identified(headers)
        if caller.session_ends_at is not None and method not in READING and not is_own_origin(headers):
            raise foreign_origin(b"origin" in headers)
        needed = "read" if method in READING else "submit"
        if not caller.may(needed) and not _is_at(SESSION_PATH, path):
            raise forbidden(needed)
        trace = valid_traceparent(headers.get(b"traceparent", b""))
        return replace(caller, traceparent=trace) if trace else caller


class _Answer:
    """Forwards an answer and records its status. A stream ends before the first event that `may_go_on` denies."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._headers: list[tuple[bytes, bytes]] = []
        self._is_stream = False
        self.status = 499  # nginx's number for a client that left before there was an answer
        self.may_go_on: Callable[[], Awaitable[bool]] | None = None

    @property
    def begun(self) -> bool:
        return self.status != 499

    def add_headers(self, headers: Mapping[str, str]) -> None:
        """Add headers to the answer, success or failure."""
        self._headers += [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._is_stream = dict(message.get("headers", ())).get(b"content-type", b"").startswith(EVENT_STREAM)
            if self._headers:
                message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
        elif self._is_stream and self.may_go_on is not None and not await self.may_go_on():
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            raise ClientDisconnect  # the client connects again, if its key is still valid
        await self._send(message)


def _is_public(method: str, path: str) -> bool:
    if path == "/" or (path == SESSION_PATH and method == "POST"):
        return True
    return any(_is_at(public, path) for public in PUBLIC)


def _is_at(place: str, path: str) -> bool:
    """Whether a path is `place` or below it."""
    return path == place or path.startswith(f"{place}/")


def _route(scope: Scope) -> str:
    """Return the template of the path that answered, or `unknown`."""
    return getattr(scope.get("route"), "path", "unknown")


def _subject(scope: Scope) -> str | None:
    """Return the first id in the path, None for a list."""
    return next((str(value) for value in scope.get("path_params", {}).values()), None)
