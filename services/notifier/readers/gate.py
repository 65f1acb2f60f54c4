"""Keeps hooks from being sent before it is known which of them were delivered.

The deliveries topic is the truth about delivered hooks, the queue may be an earlier state of it: empty after a loss,
older after a restore or a failover.
"""

import asyncio

import structlog
from aiokafka.errors import KafkaError

from piperoll.clock import happens_within
from piperoll.log.contract import LogView
from piperoll.outages import Outage
from schemas.topics import JOB_DELIVERIES
from services.notifier.checkpoints import TopicCheckpoints
from services.notifier.readers.server import PostgresServer

log = structlog.get_logger()

POLL_S = 0.2
LOG_AWAY_S = 1.0


class DeliveriesGate:
    """Closed until the deliveries are read up to their ends: at this process's start, and for each Postgres server.

    It uses the checkpoints, not this process's own reader: each partition is read by one of several processes, and the
    checkpoint stays valid through a rebalance.
    """

    def __init__(self, view: LogView, checkpoints: TopicCheckpoints, outage: Outage, server: PostgresServer) -> None:
        self._view = view
        self._checkpoints = checkpoints
        self._outage = outage
        self._server = server
        self._passed: int | None = None
        self._behind: list[int] = []

    @property
    def is_open(self) -> bool:
        """Whether the queue knows all deliveries that the log had when its server was met."""
        return self._passed == self._server.generation

    def problem(self) -> str | None:
        """A sentence while the gate is closed."""
        if self.is_open:
            return None
        partitions = f" of partitions {self._behind}" if self._behind else ""
        return f"the deliveries{partitions} are not read yet"

    async def wait(self, stopping: asyncio.Event) -> None:
        """Return when the gate is open, or `stopping` is set."""
        while not self.is_open and not stopping.is_set():
            generation = self._server.generation
            try:
                targets = await self._ends()
            except (KafkaError, OSError) as error:
                log.warning("deliveries_not_compared", error=repr(error))
                await happens_within(stopping, LOG_AWAY_S)
                continue
            await self._pass(generation, targets, stopping)

    async def _ends(self) -> dict[int, int]:
        """The present end of each partition that has deliveries."""
        begin = await self._view.begin_offsets(JOB_DELIVERIES)
        end = await self._view.end_offsets(JOB_DELIVERIES)
        return {part: offset for part, offset in end.items() if offset > begin[part]}

    async def _pass(self, generation: int, targets: dict[int, int], stopping: asyncio.Event) -> None:
        """Wait for the readers; give up when another server is met meanwhile."""
        while not stopping.is_set():
            self._behind = await self._outage.outlast(lambda: self._checkpoints.behind(targets))
            if self._server.generation != generation:
                return
            if not self._behind:
                self._passed = generation
                log.info("deliveries_read", partitions=len(targets))
                return
            await happens_within(stopping, POLL_S)
