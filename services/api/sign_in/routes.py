"""`/api/session`: signs a browser in and out (docs/contract/additions.md#sessions)."""

from datetime import datetime
from http.cookies import Morsel, SimpleCookie

from starlette.requests import Request
from starlette.responses import Response

from piperoll.clock import utc_now
from services.api.http.answers import UNSTORED, success, timestamp
from services.api.http.bodies import read_json
from services.api.http.caller import Caller, caller_of, is_own_origin, key_in, session_cookie, session_in
from services.api.http.errors import foreign_origin, session_ended
from services.api.http.routing import Routes, route
from services.api.sign_in import openapi
from services.api.sign_in.commands import SignIn
from services.api.sign_in.requests import SessionBody

MAX_BODY_BYTES = 4096  # a caller without a key sends it


class SignInRoutes(Routes, tag="session"):
    """`/api/session`."""

    sign_in: SignIn

    @route("POST", "/api/session", operation=openapi.BEGIN)
    async def begin(self, request: Request) -> Response:
        """Begin a session. A request from another page is refused, so that it cannot sign a person in as another."""
        headers = dict(request.scope["headers"])
        if b"origin" in headers and not is_own_origin(headers):
            raise foreign_origin(has_origin=True)
        body = SessionBody.read((await read_json(request, MAX_BODY_BYTES)).value)
        if body.key is not None:
            begun = await self.sign_in.by_key(body.key)
        else:
            begun = await self.sign_in.by_nonce(body.nonce or "")
        lasts_s = max(0, int((begun.ends_at - utc_now()).total_seconds()))
        cookie = _cookie(request, begun.token, lasts_s)
        return _shown(begun.caller, begun.ends_at, cookie)

    @route("GET", "/api/session", operation=openapi.SHOW)
    async def show(self, request: Request) -> Response:
        """Return the owner, scopes and end of the session, and the id of its key."""
        caller = caller_of(request)
        if caller.session_ends_at is None:
            raise session_ended()
        return _shown(caller, caller.session_ends_at)

    @route("DELETE", "/api/session", operation=openapi.END)
    async def end(self, request: Request) -> Response:
        """End the session."""
        caller, token = caller_of(request), session_in(dict(request.scope["headers"]))
        if caller.session_ends_at is None or token is None:
            raise session_ended()
        await self.sign_in.end(token, caller)
        return Response(status_code=204, headers={**UNSTORED, "Set-Cookie": _cookie(request, "", 0)})

    @route("POST", "/api/session/nonces", operation=openapi.OFFER)
    async def offer(self, request: Request) -> Response:
        """Return a nonce. Only this answer has it."""
        nonce, expires_at = await self.sign_in.offer(key_in(dict(request.scope["headers"])), caller_of(request))
        return success({"nonce": nonce, "expires_at": timestamp(expires_at)}, headers=UNSTORED)


def is_secure(request: Request) -> bool:
    """Whether the browser speaks TLS, perhaps with a proxy: it names the scheme in the Origin."""
    return request.url.scheme == "https" or request.headers.get("origin", "").lower().startswith("https://")


def _shown(caller: Caller, ends_at: datetime, cookie: str | None = None) -> Response:
    shown = {
        "owner": caller.owner,
        "scopes": sorted(caller.scopes),
        "key_id": caller.key_id,
        "ends_at": timestamp(ends_at),
    }
    return success(shown, headers=UNSTORED if cookie is None else {**UNSTORED, "Set-Cookie": cookie})


def _cookie(request: Request, token: str, lasts_s: int) -> str:
    """Return the header that sets the cookie; one that lasts 0 s is deleted. No script reads it, and browsers send it
    only from pages of this site."""
    name = session_cookie(dict(request.scope["headers"]))
    cookie: Morsel[str] = SimpleCookie({name: token})[name]
    cookie["path"], cookie["max-age"], cookie["samesite"], cookie["httponly"] = "/", str(lasts_s), "Strict", True
    if is_secure(request):
        cookie["secure"] = True
    return cookie.OutputString()
