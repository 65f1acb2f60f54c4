"""Waiting until the projector has passed what is in the log, so that clients read their own writes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from piperoll.log.record import Position
from schemas.topics import JOB_EVENTS, Topic
from services.api.http.errors import ReadModelUnavailableError
from services.api.log.ends import LogEnds
from services.api.read_model.positions import Positions

T = TypeVar("T")
log = structlog.get_logger()

LIST_WAIT_S = 2.0  # for what was just written (design: lists wait at most 2 s)


class CatchingUp:
    """Compares how far the projector is with a topic's ends, or with own appends to it."""

    def __init__(self, positions: Positions, ends: LogEnds, deadline_s: float, topic: Topic = JOB_EVENTS) -> None:
        self._positions = positions
        self._ends = ends
        self._deadline_s = deadline_s
        self._topic = topic

    async def up_to_now(self) -> None:
        """Returns once what is in the log now was projected. Raises ReadModelUnavailableError beyond the bound."""
        ends = await self._ends.now()
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._positions.passed(ends, self._topic)
        except TimeoutError as error:
            raise ReadModelUnavailableError("the read model has not caught up with the log yet") from error

    async def sought(self, look: Callable[[], Awaitable[T | None]]) -> T | None:
        """What `look` finds, at the latest once the read model has caught up with the log as it ends now."""
        found = await look()
        if found is not None:
            return found
        await self.up_to_now()
        return await look()

    async def passed(self, *positions: Position) -> bool:
        """Waits until the projector has passed own appends; False when it did not in time."""
        ends: dict[int, int] = {}
        for position in positions:
            ends[position.partition] = max(ends.get(position.partition, 0), position.offset + 1)
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._positions.passed(ends, self._topic)
        except TimeoutError:
            return False
        return True

    async def within(self, at_most_s: float) -> bool:
        """Waits until what is in the log now was projected; False when that took longer or is unknown."""
        try:
            async with asyncio.timeout(at_most_s):
                await self._positions.passed(await self._ends.now(), self._topic)
        except (TimeoutError, ReadModelUnavailableError) as error:
            log.info("list_may_be_behind", why=repr(error))
            return False
        return True
