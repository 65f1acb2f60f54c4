"""The projector's positions per topic and partition, by NOTIFY and by a query every two seconds.

Requests wait for a position so that clients read their own writes.
"""

import asyncio
from collections.abc import Callable, Mapping

import asyncpg
import structlog

from piperoll.postgres import OnConnect, connect
from schemas.read_model_names import POSITIONS_CHANNEL
from schemas.topics import DOCUMENT_EVENTS, ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS, Topic
from services.api.http.database import AWAY
from services.api.read_model.jobs import QUERIES

log = structlog.get_logger()

POLL_S = 2.0  # a notification can be lost with its connection; a request waits at most this long for it
CONNECT_TIMEOUT_S = 5.0
RECONNECT_PAUSE_S = 0.5
SESSION = "piperoll api positions "
"""The beginning of the session's name, which ends with that of the process."""
ALIASES = {
    "jobs": JOB_EVENTS.name,
    "deliveries": JOB_DELIVERIES.name,
    "documents": DOCUMENT_EVENTS.name,
    "endpoints": ENDPOINT_EVENTS.name,
}
"""The topics that requests wait for, by their names in notifications."""

Listener = Callable[[int], None]


class Positions:
    """The next offset of each partition. `run` keeps it current and recovers from outages.

    `on_connect` checks each new connection; its errors end `run`. `instance` names the process to others.
    """

    def __init__(self, dsn: str, on_connect: OnConnect | None = None, instance: str = "-") -> None:
        self._dsn = dsn
        self._session = SESSION + instance
        self._on_connect = on_connect
        self._next: dict[str, dict[int, int]] = {topic: {} for topic in ALIASES.values()}
        self._changed = asyncio.Event()
        self._problem: str | None = "the read model was not connected yet"
        self._listeners: list[tuple[str, Listener]] = []

    def problem(self) -> str | None:
        """Return why the positions are unknown; None while they are known."""
        return self._problem

    def reached(self, topic: Topic = JOB_EVENTS) -> dict[int, int]:
        """Return the next offset of each partition of a topic, as far as it is known."""
        return dict(self._next[topic.name])

    def subscribe(self, listener: Listener, topic: Topic = JOB_EVENTS) -> None:
        """Call `listener` with each partition of a topic that advanced."""
        self._listeners.append((topic.name, listener))

    async def passed(self, ends: Mapping[int, int], topic: Topic = JOB_EVENTS) -> None:
        """Return once every partition's next offset is at least that in `ends`. Waits without a bound."""
        while not all(self._next[topic.name].get(partition, 0) >= end for partition, end in ends.items()):
            await self._changed.wait()

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except AWAY as error:
                self._problem = f"the read model does not answer: {type(error).__name__}"
                log.warning("positions_lost", error=repr(error), next_try_s=RECONNECT_PAUSE_S)
                await asyncio.sleep(RECONNECT_PAUSE_S)

    async def _listen(self) -> None:
        connection = await connect(self._dsn, self._session, timeout=CONNECT_TIMEOUT_S)
        try:
            if self._on_connect is not None:
                await self._on_connect(connection)
            await connection.add_listener(POSITIONS_CHANNEL, self._notified)
            while True:
                await self._poll(connection)
                await asyncio.sleep(POLL_S)
        finally:
            connection.terminate()

    async def _poll(self, connection: asyncpg.Connection) -> None:
        """Replace the positions by those in the table: after a rebuild they may be lower."""
        rows = await connection.fetch(QUERIES["positions"], list(self._next), timeout=CONNECT_TIMEOUT_S)
        stored: dict[str, dict[int, int]] = {topic: {} for topic in self._next}
        for row in rows:
            stored[row["topic"]][row["partition"]] = row["next_offset"]
        self._problem = None if all(stored.values()) else "the projector does not process all topics yet"
        earlier, self._next = self._next, stored
        for topic, offsets in stored.items():
            self._announce(topic, [part for part, offset in offsets.items() if offset != earlier[topic].get(part)])

    def _notified(self, connection: object, pid: int, channel: str, payload: object) -> None:
        alias, partition, next_offset = str(payload).split(":")
        topic = ALIASES.get(alias)
        if topic is not None and int(next_offset) > self._next[topic].get(int(partition), -1):
            self._next[topic][int(partition)] = int(next_offset)
            self._announce(topic, [int(partition)])

    def _announce(self, topic: str, partitions: list[int]) -> None:
        if not partitions:
            return
        self._changed.set()
        self._changed = asyncio.Event()
        for partition in partitions:
            for subscribed, listener in self._listeners:
                if subscribed == topic:
                    listener(partition)
