"""Waiting until the projector has caught up with the log, so that clients read their own writes.

The positions that were notified are those of the server that sent them. After a failover to a replica that is behind,
or a restore, they are ahead of the tables: that something does not exist is only concluded within one snapshot.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import structlog

from piperoll.log.record import Position
from schemas.topics import JOB_EVENTS, Topic
from services.api.http.database import Source
from services.api.http.errors import ReadModelUnavailableError
from services.api.log.ends import LogEnds
from services.api.read_model.positions import Positions
from services.api.read_model.snapshot import snapshot

T = TypeVar("T")
log = structlog.get_logger()

LIST_WAIT_S = 2.0  # the longest that a list waits for recent facts
BEHIND_PAUSE_S = 0.1  # while the tables are behind the positions that were notified

Read = Callable[[Source | None], Awaitable[T]]
"""Reads on any connection, or in the given snapshot."""


class CatchingUp:
    """Compares the projector's positions with a topic's ends, or with facts that this process appended."""

    def __init__(
        self, positions: Positions, ends: LogEnds, pool: asyncpg.Pool, deadline_s: float, topic: Topic = JOB_EVENTS
    ) -> None:
        self._positions = positions
        self._pool = pool
        self._ends = ends
        self._deadline_s = deadline_s
        self._topic = topic

    async def up_to_now(self) -> None:
        """Return once the log up to its present end was projected. Raises ReadModelUnavailableError (503)."""
        await self.at_present(_nothing)

    async def at_present(self, read: Read[T]) -> T:
        """Return what `read` finds in a snapshot that includes the log up to its present end.

        Raises ReadModelUnavailableError (503).
        """
        ends = await self._ends.now()
        try:
            async with asyncio.timeout(self._deadline_s):
                while True:
                    await self._positions.passed(ends, self._topic)
                    async with snapshot(self._pool, self._topic, self._deadline_s) as (source, reached):
                        if all(reached.get(partition, 0) >= end for partition, end in ends.items()):
                            return await read(source)
                    await asyncio.sleep(BEHIND_PAUSE_S)
        except TimeoutError as error:
            raise ReadModelUnavailableError("the read model has not caught up with the log yet") from error

    async def find(self, look_up: Read[T | None], is_own: Callable[[T], bool]) -> T | None:
        """Return what `look_up` finds of the caller; if nothing, it is tried again once the read model has caught up.

        What belongs to another owner takes the same way, and so the same time, as what does not exist.
        """
        found = await look_up(None)
        if found is None or not is_own(found):
            found = await self.at_present(look_up)
        return found if found is not None and is_own(found) else None

    async def passed(self, *positions: Position, timeout_s: float | None = None) -> bool:
        """Wait until the projector has passed `positions`; return False if it did not in time."""
        ends: dict[int, int] = {}
        for position in positions:
            ends[position.partition] = max(ends.get(position.partition, 0), position.offset + 1)
        try:
            async with asyncio.timeout(self._deadline_s if timeout_s is None else timeout_s):
                await self._positions.passed(ends, self._topic)
        except TimeoutError:
            return False
        return True

    async def briefly(self, timeout_s: float = LIST_WAIT_S) -> bool:
        """Wait until the log up to its present end was projected; return False if that takes longer or is unknown."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._positions.passed(await self._ends.now(), self._topic)
        except (TimeoutError, ReadModelUnavailableError) as error:
            log.info("list_may_be_behind", why=repr(error))
            return False
        return True


async def _nothing(source: Source | None) -> None:
    """Only the snapshot's positions matter."""
