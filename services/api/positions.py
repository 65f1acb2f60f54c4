"""How far the projector is, per partition of the job events: told by NOTIFY, and asked for every two seconds.

Waiting for a position is how a client reads its own writes. Nothing here knows a job.
"""

import asyncio
from collections.abc import Callable, Mapping

import asyncpg
import structlog

from schemas.read_model import POSITIONS_CHANNEL
from services.api.read_model import AWAY, QUERIES, TOPIC

log = structlog.get_logger()

POLL_S = 2.0  # a notification can be lost with its connection; nobody waits longer than this for it
CONNECT_TIMEOUT_S = 5.0
RECONNECT_PAUSE_S = 0.5
ALIAS = "jobs"

Listener = Callable[[int], None]


class Positions:
    """The next offset of each partition. `run` keeps it current and comes back by itself after an outage."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._next: dict[int, int] = {}
        self._changed = asyncio.Event()
        self._problem: str | None = "the read model was not reached yet"
        self._listeners: list[Listener] = []

    def problem(self) -> str | None:
        """A sentence while the positions are not known."""
        return self._problem

    def subscribe(self, listener: Listener) -> None:
        """Calls `listener` with each partition that came further."""
        self._listeners.append(listener)

    async def passed(self, ends: Mapping[int, int]) -> None:
        """Returns once every partition's next offset is at least that in `ends`. Waits without a bound."""
        while not all(self._next.get(partition, 0) >= end for partition, end in ends.items()):
            await self._changed.wait()

    async def run(self) -> None:
        """Listens until cancelled."""
        while True:
            try:
                await self._listen()
            except AWAY as error:
                self._problem = f"the read model cannot be asked: {type(error).__name__}"
                log.warning("positions_lost", error=repr(error), next_try_s=RECONNECT_PAUSE_S)
                await asyncio.sleep(RECONNECT_PAUSE_S)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=CONNECT_TIMEOUT_S)
        try:
            await connection.add_listener(POSITIONS_CHANNEL, self._heard)
            while True:
                await self._ask(connection)
                await asyncio.sleep(POLL_S)
        finally:
            connection.terminate()

    async def _ask(self, connection: asyncpg.Connection) -> None:
        """Reads the table. It goes before what was known: after a rebuild positions may be lower."""
        rows = await connection.fetch(QUERIES["positions"], TOPIC, timeout=CONNECT_TIMEOUT_S)
        known = {row["partition"]: row["next_offset"] for row in rows}
        self._problem = None if known else "the projector has not taken over a partition yet"
        came_further = [part for part, offset in known.items() if offset != self._next.get(part)]
        self._next = known
        self._tell(came_further)

    def _heard(self, connection: object, pid: int, channel: str, payload: object) -> None:
        alias, partition, next_offset = str(payload).split(":")
        if alias == ALIAS and int(next_offset) > self._next.get(int(partition), -1):
            self._next[int(partition)] = int(next_offset)
            self._tell([int(partition)])

    def _tell(self, partitions: list[int]) -> None:
        if not partitions:
            return
        self._changed.set()
        self._changed = asyncio.Event()
        for partition in partitions:
            for listener in self._listeners:
                listener(partition)
