"""A cache of the keys that sign an owner's hooks. `piperoll.webhooks.signatures` signs."""

import asyncio
from collections.abc import Sequence

import asyncpg

from piperoll.clock import Clock
from piperoll.seal import Seal
from piperoll.webhooks import signing_keys
from piperoll.webhooks.signatures import SigningKey
from services.notifier.outbox import TRANSIENT

REMEMBER_S = 10.0  # a new key signs so soon after a rotation; the overlap setting relies on it
MAX_OWNERS = 1000
READ_S = 5.0  # within the margin of a lease for composing a hook


class SigningKeysAwayError(Exception):
    """An owner's keys cannot be read or opened at present; this is not the receiver's fault."""


class SigningKeyCache:
    """Keys by owner. Concurrent callers share one read."""

    def __init__(self, pool: asyncpg.Pool, seal: Seal, clock: Clock) -> None:
        self._pool = pool
        self._seal = seal
        self._clock = clock
        self._reading = asyncio.Lock()
        self._known: dict[str, tuple[Sequence[SigningKey], float]] = {}

    async def of(self, owner: str) -> list[SigningKey]:
        """The keys that sign now, the newest first. Raises SigningKeysAwayError."""
        keys = self._remembered(owner)
        if keys is None:
            keys = await self._read(owner)
        now = self._clock()
        return [key for key in keys if key.active(now)]

    async def _read(self, owner: str) -> Sequence[SigningKey]:
        try:
            async with asyncio.timeout(READ_S), self._reading:
                keys = self._remembered(owner)
                if keys is None:
                    keys = await signing_keys.active(self._pool, self._seal, owner)
                    self._remember(owner, keys)
        except (*TRANSIENT, ValueError) as error:  # ValueError: sealed with a key that is not configured
            raise SigningKeysAwayError(f"the signing keys of {owner}: {error!r}") from error
        return keys

    def _remembered(self, owner: str) -> Sequence[SigningKey] | None:
        keys, until = self._known.get(owner, ((), 0.0))
        return keys if asyncio.get_running_loop().time() < until else None

    def _remember(self, owner: str, keys: Sequence[SigningKey]) -> None:
        """Store the owner's keys as the newest entry; the oldest is dropped when there are too many."""
        self._known.pop(owner, None)
        while len(self._known) >= MAX_OWNERS:
            del self._known[next(iter(self._known))]
        self._known[owner] = (keys, asyncio.get_running_loop().time() + REMEMBER_S)
