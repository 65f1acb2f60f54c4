"""A cache of the keys that sign an owner's hooks. `piperoll.webhooks.signatures` signs."""

import asyncio
from collections.abc import Sequence

import asyncpg
import structlog

from piperoll.clock import Clock, happens_within
from piperoll.seal import Seal
from piperoll.webhooks import signing_keys
from piperoll.webhooks.signatures import SigningKey
from services.notifier.outbox import TRANSIENT, Connection

log = structlog.get_logger()

REMEMBER_S = 10.0  # the longest time if an announcement is lost; the overlap setting relies on it
PAUSE_S = 0.5
MAX_OWNERS = 1000
READ_S = 5.0  # within the margin of a lease for composing a hook


class SigningKeysAwayError(Exception):
    """An owner's keys cannot be read or opened at present; this is not the receiver's fault."""


class SigningKeyCache:
    """Keys by owner, until a change is announced. Concurrent callers share one read."""

    def __init__(self, pool: asyncpg.Pool, seal: Seal, clock: Clock) -> None:
        self._pool = pool
        self._seal = seal
        self._clock = clock
        self._reading = asyncio.Lock()
        self._known: dict[str, tuple[Sequence[SigningKey], float]] = {}
        self._changes = 0

    async def of(self, owner: str) -> list[SigningKey]:
        """The keys that sign now, the newest first. Raises SigningKeysAwayError."""
        keys = self._remembered(owner)
        if keys is None:
            keys = await self._read(owner)
        now = self._clock()
        return [key for key in keys if key.active(now)]

    def forget(self, owner: str | None = None) -> None:
        """Read the keys of an owner, or of all owners, again at the next hook."""
        self._changes += 1
        if owner is None:
            self._known.clear()
        else:
            self._known.pop(owner, None)

    async def follow(self, stopping: asyncio.Event) -> None:
        """Forget the keys of owners whose keys are rotated or ended, as they are announced, until `stopping` is set."""
        while not stopping.is_set():
            try:
                async with self._pool.acquire() as connection:
                    await self._listen(connection, stopping)
            except TRANSIENT as error:
                log.warning("signing_keys_not_followed", error=repr(error), next_try_s=PAUSE_S)
                await happens_within(stopping, PAUSE_S)

    async def _listen(self, connection: Connection, stopping: asyncio.Event) -> None:
        """Follow announcements until `stopping` is set or the connection is lost."""
        lost = asyncio.Event()

        def on_change(_: object, __: int, ___: str, owner: object) -> None:
            self.forget(str(owner))

        def on_end(_: object) -> None:
            lost.set()

        connection.add_termination_listener(on_end)
        waits: list[asyncio.Task[bool]] = []
        try:
            await connection.add_listener(signing_keys.CHANGED, on_change)
            self.forget()  # what was announced before
            waits = [asyncio.create_task(event.wait()) for event in (stopping, lost)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            if not lost.is_set():
                connection.remove_termination_listener(on_end)
                await connection.remove_listener(signing_keys.CHANGED, on_change)

    async def _read(self, owner: str) -> Sequence[SigningKey]:
        try:
            async with asyncio.timeout(READ_S), self._reading:
                keys = self._remembered(owner)
                if keys is None:
                    changes = self._changes
                    keys = await signing_keys.active(self._pool, self._seal, owner)
                    if changes == self._changes:
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
