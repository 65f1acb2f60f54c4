"""Waiting until the projector has caught up with the log, so that clients read their own writes."""

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

LIST_WAIT_S = 2.0  # the longest that a list waits for recent facts


class CatchingUp:
    """Compares the projector's positions with a topic's ends, or with facts that this process appended."""

    def __init__(self, positions: Positions, ends: LogEnds, deadline_s: float, topic: Topic = JOB_EVENTS) -> None:
        self._positions = positions
        self._ends = ends
        self._deadline_s = deadline_s
        self._topic = topic

    async def up_to_now(self) -> None:
        """Return once the log up to its present end was projected. Raises ReadModelUnavailableError (503)."""
        ends = await self._ends.now()
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._positions.passed(ends, self._topic)
        except TimeoutError as error:
            raise ReadModelUnavailableError("the read model has not caught up with the log yet") from error

    async def find(self, look_up: Callable[[], Awaitable[T | None]]) -> T | None:
        """Return what `look_up` finds; if nothing, it is tried again once the read model has caught up."""
        found = await look_up()
        if found is not None:
            return found
        await self.up_to_now()
        return await look_up()

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
