"""Hears of keys that were rotated or revoked, by this process or another one, over a separate connection."""

import asyncio
from typing import Protocol

import structlog

from piperoll import keys
from piperoll.postgres import connect
from services.api.http.database import AWAY

log = structlog.get_logger()

CONNECT_TIMEOUT_S = 2.0
CHECK_S = 0.75  # between two checks of the connection, which take as long at most: an interruption is seen in 1.5 s
RECONNECT_PAUSE_S = 0.25


class Hearer(Protocol):
    """What learns of changes (`services.api.http.access.Access`)."""

    def forget(self, key_id: str) -> None:
        """Note that a key changed."""

    def hears(self, now: bool) -> None:
        """Note whether changes are heard."""


class KeyChanges:
    """Passes the changes of keys on to `hearer`. `run` recovers from outages."""

    def __init__(self, dsn: str, hearer: Hearer) -> None:
        self._dsn = dsn
        self._hearer = hearer

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except AWAY as error:
                log.warning("key_changes_not_heard", error=repr(error), next_try_s=RECONNECT_PAUSE_S)
                await asyncio.sleep(RECONNECT_PAUSE_S)

    async def _listen(self) -> None:
        connection = await connect(self._dsn, "piperoll api keys", timeout=CONNECT_TIMEOUT_S)
        try:
            await connection.add_listener(keys.CHANNEL, self._notified)
            self._hearer.hears(True)
            while True:
                await keys.check_line(connection, CHECK_S)
                await asyncio.sleep(CHECK_S)
        finally:
            self._hearer.hears(False)
            connection.terminate()

    def _notified(self, connection: object, pid: int, channel: str, payload: object) -> None:
        self._hearer.forget(str(payload))
