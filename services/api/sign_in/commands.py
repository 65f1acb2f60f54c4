"""Begins and ends sessions of the page, and makes one-time links to one (docs/contract/additions.md#sessions)."""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import structlog

from piperoll import keys, sign_in
from schemas.errors import ErrorCode
from services.api.http.access import Access
from services.api.http.admission import Traffic
from services.api.http.caller import Caller
from services.api.http.database import bounded_query
from services.api.http.errors import ApiError, unauthorized

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Begun:
    """A new session. The token is in its cookie only."""

    token: str
    caller: Caller
    ends_at: datetime


class SignIn:
    """Sessions for `lasts_s` at most. Every method raises READ_MODEL_UNAVAILABLE (503)."""

    def __init__(
        self, pool: asyncpg.Pool, pepper: str, access: Access, traffic: Traffic, lasts_s: float, deadline_s: float
    ) -> None:
        self._pool = pool
        self._pepper = pepper
        self._access = access
        self._traffic = traffic
        self._lasts_s = lasts_s
        self._deadline_s = deadline_s

    async def by_key(self, key: str) -> Begun:
        """Begin a session of a key. Raises ApiError: UNAUTHORIZED (401), QUOTA_EXCEEDED (429)."""
        caller = await self._access.caller(key.encode())
        token = sign_in.draw(sign_in.TOKEN_PREFIX)
        with closing(self._traffic.enter(caller.owner)):
            async with bounded_query("begin_session", self._deadline_s):
                ends_at = await sign_in.begin(self._pool, self._digest(token), self._digest(key), self._lasts_s)
        return _begun(token, caller, ends_at)

    async def by_nonce(self, nonce: str) -> Begun:
        """Begin a session by a nonce, which ends. Raises ApiError UNAUTHORIZED (401)."""
        if not sign_in.has_form(sign_in.NONCE_PREFIX, nonce):  # costs no query
            raise _used_nonce()
        token = sign_in.draw(sign_in.TOKEN_PREFIX)
        digests = self._digest(nonce), self._digest(token)
        async with bounded_query("redeem_nonce", self._deadline_s), self._access.strangers:
            holder = await sign_in.redeem(self._pool, *digests, self._lasts_s, self._access.by_digest.keys())
        caller = None if holder is None else self._access.caller_by(holder)
        if holder is None or caller is None:
            raise _used_nonce()
        return _begun(token, caller, holder.ends_at)

    async def end(self, token: str, caller: Caller) -> None:
        """End a session. Other processes refuse it within two seconds."""
        async with bounded_query("end_session", self._deadline_s):
            await sign_in.end(self._pool, self._digest(token), caller.key_id)
        self._access.forget(caller.key_id)
        log.info("session_ended", key_id=caller.key_id, owner=caller.owner)

    async def offer(self, key: bytes | None, caller: Caller) -> tuple[str, datetime]:
        """Return a new nonce of the caller's key, and when it expires.

        Raises ApiError FORBIDDEN (403) for a request without a key: a session cannot prolong itself.
        """
        if key is None:
            raise ApiError(403, ErrorCode.FORBIDDEN, "a link is made with an API key, not with a session")
        nonce = sign_in.draw(sign_in.NONCE_PREFIX)
        async with bounded_query("offer_nonce", self._deadline_s):
            expires_at = await sign_in.offer(self._pool, self._digest(nonce), self._digest(key.decode()))
        log.info("link_made", key_id=caller.key_id, owner=caller.owner)
        return nonce, expires_at

    def _digest(self, token: str) -> str:
        return keys.digest(self._pepper, token)


def _begun(token: str, caller: Caller, ends_at: datetime) -> Begun:
    log.info("session_begun", key_id=caller.key_id, owner=caller.owner)
    return Begun(token, caller, ends_at)


def _used_nonce() -> ApiError:
    message = (
        "this link was used before, or is older than ten minutes: `piperoll link` prints a new one, and an API key "
        "signs in as well"
    )
    return ApiError(401, ErrorCode.UNAUTHORIZED, message, headers=unauthorized().headers)
