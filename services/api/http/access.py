"""Identifies callers by their keys: bootstrap keys from the settings, all others from Postgres, remembered for a while.
A session of the page (`piperoll.sign_in`) is a further token of a key, by the same rules.

A remembered key counts while this process hears of the changes of keys (`.key_changes`), so that a key that ended
anywhere is refused here within a second. After an interruption each key is looked up again, and during one at most a
second later. Only while Postgres is away the old answer counts, for PIPEROLL_KEY_CACHE_S at most.
"""

import asyncio
import hashlib
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg
import structlog

from piperoll import keys, sign_in
from services.api.http.caller import Caller
from services.api.http.database import AWAY
from services.api.http.errors import ReadModelUnavailableError, session_ended, unauthorized

log = structlog.get_logger()

PREPARE_PAUSE_S = 1.0
RECHECK_S = 60.0  # a remembered key is looked up this often: an end that was written without a notification counts too
UNHEARD_S = 1.0  # the same while no changes are heard; and for so long a failed look-up is not repeated
RECHECK_DEADLINE_S = 1.0  # the old answer is at hand
MOST_STRANGERS = 4  # tokens that are looked up at a time and are not remembered: half of the pool is for callers
SESSION = b"session "  # before a token that is remembered: a session is not accepted in place of a key
LOCAL_OWNER = "local"
BOOTSTRAP = "bootstrap-"  # the prefix of the ids of bootstrap keys
BOOTSTRAP_SCOPES = frozenset({"jobs", "admin"})
MAX_TOKEN_BYTES = 512  # of a bootstrap key; nothing longer is worth a digest


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer of Postgres: the caller, the times (monotonic) at which it was asked for and is dropped, and the count
    of interruptions at that time."""

    caller: Caller
    asked_at: float
    drop_at: float
    interruptions: int


@dataclass(frozen=True, slots=True)
class Found:
    """A caller as Postgres knows it at present, and until when."""

    caller: Caller
    ends_at: datetime | None


LookUp = Callable[[str], Awaitable[Found | None]]
"""Asks Postgres for the caller of a token."""


class Access:
    """Callers by key or session. Both are remembered by a hash, never in clear."""

    def __init__(
        self, pool: asyncpg.Pool, pepper: str, bootstrap: Iterable[str], cache_s: float, deadline_s: float
    ) -> None:
        self._pool = pool
        self._pepper = pepper
        self._cache_s = cache_s
        self._deadline_s = deadline_s
        given = {
            key: Caller(LOCAL_OWNER, f"{BOOTSTRAP}{number}", BOOTSTRAP_SCOPES)
            for number, key in enumerate(bootstrap, start=1)
            if key
        }
        self._bootstrap = {_fingerprint(key.encode()): caller for key, caller in given.items()}
        self.by_digest = {keys.digest(pepper, key): caller for key, caller in given.items()}
        """The callers of bootstrap keys by the digest that sessions and nonces have."""
        self._remembered: dict[bytes, Remembered] = {}
        self._hears = False
        self._interruptions = 0
        self._away_until = -math.inf
        self._probing = False
        self.strangers = asyncio.Semaphore(MOST_STRANGERS)
        """Held by each query about a token that is not remembered, so that guesses leave connections to others."""
        self._changes: dict[str, int] = {}
        self._change_count = 0

    async def caller(self, token: bytes | None) -> Caller:
        """Return the caller whose key `token` is. Raises ApiError: UNAUTHORIZED (401), READ_MODEL_UNAVAILABLE (503)."""
        if not token or len(token) > MAX_TOKEN_BYTES:
            raise unauthorized()
        fingerprint = _fingerprint(token)
        if (local := self._bootstrap.get(fingerprint)) is not None:
            return local
        known = self._known(fingerprint)
        if known is not None and self._counts(known):
            return known.caller
        text = token.decode("latin-1")
        if not keys.is_key(text):  # costs no query
            raise unauthorized()
        caller = await self._look_up(text, fingerprint, known, self._key)
        if caller is None:
            raise unauthorized()
        return caller

    async def session_caller(self, token: str) -> Caller:
        """Return the caller whose session `token` is, with the session's end. Raises as `caller`."""
        if not sign_in.has_form(sign_in.TOKEN_PREFIX, token):
            raise session_ended()
        fingerprint = _fingerprint(SESSION + token.encode())
        known = self._known(fingerprint)
        if known is not None and self._counts(known):
            return known.caller
        caller = await self._look_up(token, fingerprint, known, self._session)
        if caller is None:
            raise session_ended()
        return caller

    def caller_by(self, holder: sign_in.Holder) -> Caller | None:
        """Return the caller of a session; None if its key was one of the settings and is so no more."""
        if holder.key_id is None or holder.owner is None:
            local = self.by_digest.get(holder.key_digest)
            return None if local is None else replace(local, session_ends_at=holder.ends_at)
        return Caller(holder.owner, holder.key_id, holder.scopes, session_ends_at=holder.ends_at)

    def forget(self, key_id: str) -> None:
        """Note that a key changed and may have ended: the next request with it looks it up again."""
        self._change_count += 1
        self._changes[key_id] = self._change_count
        for fingerprint in [one for one, known in self._remembered.items() if known.caller.key_id == key_id]:
            del self._remembered[fingerprint]

    def hears(self, now: bool) -> None:
        """Note whether this process hears of changes from now on. What it knew before is checked again then."""
        if now and not self._hears:
            self._interruptions += 1
        self._hears = now

    async def prepare(self) -> None:
        """Create the table of keys if it is missing, as soon as Postgres answers."""
        while True:
            try:
                await keys.prepare(self._pool)
            except AWAY as error:
                log.warning("keys_not_prepared", error=repr(error), next_try_s=PREPARE_PAUSE_S)
                await asyncio.sleep(PREPARE_PAUSE_S)
            else:
                return

    def _known(self, fingerprint: bytes) -> Remembered | None:
        known = self._remembered.get(fingerprint)
        if known is not None and time.monotonic() >= known.drop_at:
            del self._remembered[fingerprint]
            return None
        return known

    def _counts(self, known: Remembered) -> bool:
        """Whether the answer is as good as a new one, or Postgres gives no new one at present."""
        now = time.monotonic()
        if now < self._away_until or self._probing:  # one request at a time finds out whether Postgres is back
            return True
        if self._hears:
            return known.interruptions == self._interruptions and now < known.asked_at + RECHECK_S
        return now < known.asked_at + UNHEARD_S

    def _changed_since(self, key_id: str, change_count: int) -> bool:
        """Whether a change of the key was noted after the first `change_count` ones of all keys."""
        return self._changes.get(key_id, 0) > change_count

    async def _look_up(
        self, token: str, fingerprint: bytes, known: Remembered | None, look_up: LookUp
    ) -> Caller | None:
        asked_at, changes, interruptions = time.monotonic(), self._change_count, self._interruptions
        try:
            found = await self._found(token, known, look_up)
        except AWAY as error:
            log.warning("keys_away", error=repr(error))
            if known is not None and not self._changed_since(known.caller.key_id, changes):
                self._away_until = time.monotonic() + UNHEARD_S
                return known.caller
            raise ReadModelUnavailableError("the key cannot be checked at present") from error
        if found is None:
            self._remembered.pop(fingerprint, None)
            return None
        if not self._changed_since(found.caller.key_id, changes):  # else it may have ended during the look-up
            left_s = math.inf if found.ends_at is None else found.ends_at.timestamp() - time.time()
            drop_at = asked_at + min(self._cache_s, left_s)
            self._remembered[fingerprint] = Remembered(found.caller, asked_at, drop_at, interruptions)
        return found.caller

    async def _found(self, token: str, known: Remembered | None, look_up: LookUp) -> Found | None:
        """Ask Postgres. Raises AWAY, sooner for a key that is known: its old answer is at hand."""
        deadline_s = self._deadline_s if known is None else min(self._deadline_s, RECHECK_DEADLINE_S)
        probes = known is not None and not self._hears
        self._probing = self._probing or probes
        try:
            async with asyncio.timeout(deadline_s), self.strangers if known is None else nullcontext():
                return await look_up(token)
        finally:
            self._probing = self._probing and not probes

    async def _key(self, token: str) -> Found | None:
        key = await keys.find(self._pool, keys.digest(self._pepper, token))
        return None if key is None else Found(Caller(key.owner, key.key_id, key.scopes), key.expires_at)

    async def _session(self, token: str) -> Found | None:
        holder = await sign_in.find(self._pool, keys.digest(self._pepper, token))
        caller = None if holder is None else self.caller_by(holder)
        return None if caller is None else Found(caller, caller.session_ends_at)


def _fingerprint(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
