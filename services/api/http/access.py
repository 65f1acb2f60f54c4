"""Finds out who calls: bootstrap keys from the settings, all others from Postgres, remembered for a while.

A key that was ended elsewhere is refused at the latest PIPEROLL_KEY_CACHE_S seconds later, one that was ended by this
process at once (`forget`); meanwhile the keys that are known keep working without Postgres.
"""

import asyncio
import hashlib
import math
import time
from collections.abc import Iterable

import asyncpg
import structlog

from piperoll import keys
from services.api.http.caller import Caller
from services.api.http.database import AWAY
from services.api.http.errors import ReadModelUnavailableError, unauthorized

log = structlog.get_logger()

PREPARE_PAUSE_S = 1.0
LOCAL_OWNER = "local"
BOOTSTRAP = "bootstrap-"  # what the ids of those keys begin with
BOOTSTRAP_SCOPES = frozenset({"jobs", "admin"})
MAX_TOKEN_BYTES = 512  # twice the longest key there can be; nothing longer is worth a digest


class Access:
    """Callers by key. Keys are remembered by a hash, never as they are."""

    def __init__(
        self, pool: asyncpg.Pool, pepper: str, bootstrap: Iterable[str], cache_s: float, deadline_s: float
    ) -> None:
        self._pool = pool
        self._pepper = pepper
        self._cache_s = cache_s
        self._deadline_s = deadline_s
        self._known: dict[bytes, tuple[Caller, float]] = {
            _fingerprint(key.encode()): (Caller(LOCAL_OWNER, f"{BOOTSTRAP}{number}", BOOTSTRAP_SCOPES), math.inf)
            for number, key in enumerate(bootstrap, start=1)
            if key
        }
        self._forgotten = 0

    async def caller(self, token: bytes | None) -> Caller:
        """Whose key `token` is. Raises ApiError: UNAUTHORIZED (401), READ_MODEL_UNAVAILABLE (503)."""
        if not token or len(token) > MAX_TOKEN_BYTES:
            raise unauthorized()
        fingerprint = _fingerprint(token)
        known = self._known.get(fingerprint)
        if known is not None and time.monotonic() < known[1]:
            return known[0]
        return await self._look_up(token, fingerprint)

    def forget(self, key_id: str) -> None:
        """Has the next request with a key look it up again, because it may have ended."""
        self._forgotten += 1
        for fingerprint in [one for one, (caller, _) in self._known.items() if caller.key_id == key_id]:
            del self._known[fingerprint]

    async def prepare(self) -> None:
        """Makes the keys' table where it is missing, as soon as Postgres lets it."""
        while True:
            try:
                await keys.prepare(self._pool)
            except AWAY as error:
                log.warning("keys_not_prepared", error=repr(error), next_try_s=PREPARE_PAUSE_S)
                await asyncio.sleep(PREPARE_PAUSE_S)
            else:
                return

    async def _look_up(self, token: bytes, fingerprint: bytes) -> Caller:
        self._known.pop(fingerprint, None)
        forgotten = self._forgotten
        digest = keys.digest(self._pepper, token.decode("latin-1"))
        try:
            async with asyncio.timeout(self._deadline_s):
                key = await keys.find(self._pool, digest)
        except AWAY as error:
            log.warning("keys_away", error=repr(error))
            raise ReadModelUnavailableError("the key cannot be checked at present") from error
        if key is None:
            raise unauthorized()
        caller = Caller(key.owner, key.key_id, key.scopes)
        if forgotten == self._forgotten:  # else it may be the one that ended while it was looked up
            self._known[fingerprint] = (caller, time.monotonic() + self._remembered_s(key))
        return caller

    def _remembered_s(self, key: keys.Key) -> float:
        """How long to remember a key: never beyond its own end."""
        if key.expires_at is None:
            return self._cache_s
        return min(self._cache_s, key.expires_at.timestamp() - time.time())


def _fingerprint(token: bytes) -> bytes:
    """What a key is remembered by in this process."""
    return hashlib.sha256(token).digest()
