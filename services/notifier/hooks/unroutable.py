"""Final hooks that cannot be sent, because the receiver is not known: of ended jobs, and requested redeliveries.

The job's parameters were lost, the job was erased meanwhile, or its row was removed after a month. A job that the job
reader has not read yet, or whose erasure it has not read yet, looks the same, as after the loss of the schema; so only
those before the job reader's position are given up.
"""

import asyncio

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from piperoll.clock import Clock
from piperoll.log.contract import LogView
from schemas.topics import JOB_EVENTS
from services.notifier.checkpoints import TopicCheckpoints
from services.notifier.hooks.give_up import end_hooks
from services.notifier.hooks.queue import SQL

log = structlog.get_logger()

GROUP = 500


class Unroutable:
    """Gives up such hooks. `positions` are the job reader's checkpoints."""

    def __init__(
        self, pool: asyncpg.Pool, view: LogView, positions: TopicCheckpoints, written: asyncio.Event, clock: Clock
    ) -> None:
        self._pool = pool
        self._view = view
        self._positions = positions
        self._written = written
        self._clock = clock

    async def abandon(self) -> None:
        """Give up what cannot be sent. An outage of Kafka only delays it."""
        rows = await self._pool.fetch(SQL["unroutable"], GROUP)
        if not rows:
            return
        try:
            # A request is appended after the end of its job, and parameters are deleted after JobErased was appended:
            # so these facts precede these offsets.
            ends = await self._view.end_offsets(JOB_EVENTS)
        except KafkaError as error:
            log.warning("unroutable_hooks_wait_for_kafka", error=repr(error))
            return
        behind = await self._positions.behind({row["partition"]: ends[row["partition"]] for row in rows})
        lost = [row["job_id"] for row in rows if row["partition"] not in behind]
        if await end_hooks(self._pool, "abandon_unroutable", (lost,), _why, self._clock()):
            self._written.set()


def _why(row: asyncpg.Record) -> str:
    if row["erased"]:
        return "ERASED"
    return "FORGOTTEN" if row["request"] else "LOST"
