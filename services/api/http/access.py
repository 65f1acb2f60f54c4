"""Identifies callers by their keys: bootstrap keys from the settings, all others from Postgres, cached for a while.

A key that another process revoked is refused after at most PIPEROLL_KEY_CACHE_S seconds, one that this process revoked
at once (`forget`). Cached keys work without Postgres.
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
BOOTSTRAP = "bootstrap-"  # the prefix of the ids of bootstrap keys
BOOTSTRAP_SCOPES = frozenset({"jobs", "admin"})
MAX_TOKEN_BYTES = 512  # twice the longest possible key; nothing longer is worth a digest


class Access:
    """Callers by key. Keys are cached by a hash, never in clear."""

    def __init__(
        self, pool: asyncpg.Pool, pepper: str, bootstrap: Iterable[str], cache_s: float, deadline_s: float
    ) -> None:
        self._pool = pool
        self._pepper = pepper
        self._cache_s = cache_s
        self._deadline_s = deadline_s
        self._cached: dict[bytes, tuple[Caller, float]] = {
            _fingerprint(key.encode()): (Caller(LOCAL_OWNER, f"{BOOTSTRAP}{number}", BOOTSTRAP_SCOPES), math.inf)
            for number, key in enumerate(bootstrap, start=1)
            if key
        }
        self._forgotten = 0

    async def caller(self, token: bytes | None) -> Caller:
        """Return the caller whose key `token` is. Raises ApiError: UNAUTHORIZED (401), READ_MODEL_UNAVAILABLE (503)."""
        if not token or len(token) > MAX_TOKEN_BYTES:
            raise unauthorized()
        fingerprint = _fingerprint(token)
        cached = self._cached.get(fingerprint)
        if cached is not None and time.monotonic() < cached[1]:
            return cached[0]
        return await self._look_up(token, fingerprint)

    def forget(self, key_id: str) -> None:
        """Drop a key from the cache, because it may have ended: the next request with it looks it up again."""
        self._forgotten += 1
        for fingerprint in [one for one, (caller, _) in self._cached.items() if caller.key_id == key_id]:
            del self._cached[fingerprint]

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

    async def _look_up(self, token: bytes, fingerprint: bytes) -> Caller:
        self._cached.pop(fingerprint, None)
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
        if forgotten == self._forgotten:  # else it may be the one that ended during the look-up
            left_s = math.inf if key.expires_at is None else key.expires_at.timestamp() - time.time()
            self._cached[fingerprint] = (caller, time.monotonic() + min(self._cache_s, left_s))
        return caller


def _fingerprint(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
