"""A process's way to the log: records take a while to get there, and so does the acknowledgement, which may be lost."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from piperoll.log.contract import AppendError
from piperoll.log.record import Position
from schemas.envelope import Fact, Headers, encode
from schemas.topics import JOB_DELIVERIES, Topic

if TYPE_CHECKING:
    from tests.support.simulation.process import Process


@dataclass(frozen=True, slots=True)
class AppendFault:
    """What happens to one append.

    error       the record lands, and the writer gets an AppendError
    silence     it lands, no acknowledgement comes, and after `seconds` the client library appends it again
    duplicate   it lands twice
    delay       it lands after `seconds`
    """

    kind: Literal["error", "silence", "duplicate", "delay"]
    seconds: float = 0.0


class Network:
    """The appender of one process (piperoll.log.contract). `faults` happen to its next appends, one each.

    With `outlives`, records that are on their way when the process dies still arrive.
    """

    def __init__(self, process: "Process", lag_s: float) -> None:
        self._process = process
        self._lag_s = lag_s
        self.faults: deque[AppendFault] = deque()
        self.outlives = False

    async def append(self, topic: Topic, fact: Fact, deadline_s: float | None = None) -> Position:
        """See piperoll.log.contract.Appender."""
        key, value, headers = encode(fact)
        if topic is not JOB_DELIVERIES:
            return await self.append_raw(topic, key, value, headers)
        on_the_way = self._process.world.on_the_way
        on_the_way[fact.subject] += 1
        try:
            return await self.append_raw(topic, key, value, headers)
        finally:
            on_the_way[fact.subject] -= 1

    async def append_raw(
        self, topic: Topic, key: bytes | None, value: bytes | None, headers: Headers, deadline_s: float | None = None
    ) -> Position:
        """See piperoll.log.contract.RawAppender."""
        fault = self.faults.popleft() if self.faults else None
        kind = fault.kind if fault else ""
        if fault is not None and kind == "delay":
            await asyncio.sleep(fault.seconds)
        position = await self._send(topic, key, value, headers)
        if fault is not None and kind == "silence":
            await asyncio.sleep(fault.seconds)
            await self._send(topic, key, value, headers)
        elif kind == "duplicate":
            await self._send(topic, key, value, headers)
        await self._travel()
        if kind == "error":
            raise AppendError("the acknowledgement was lost")
        return position

    async def _send(self, topic: Topic, key: bytes | None, value: bytes | None, headers: Headers) -> Position:
        """The record leaves now and arrives later."""
        await self._process.online.wait()
        world = self._process.world
        arrival: asyncio.Future[Position] = world.loop.create_future()

        def arrive() -> None:
            if self._process.dead and not (self.outlives and self._process.online.is_set()):
                return
            if not self._process.online.is_set():
                world.loop.call_later(1.0, arrive)  # the client library keeps it, and tries again
                return
            position = world.place(topic, key, value, headers)
            if not arrival.done():
                arrival.set_result(position)

        world.loop.call_later(self._process.chances.uniform(0, self._lag_s), arrive)
        return await arrival

    async def _travel(self) -> None:
        await asyncio.sleep(self._process.chances.uniform(0, self._lag_s))
        await self._process.online.wait()
