"""Redeliveries that were asked for and can never be made, because nobody knows any more to whom.

The job was erased meanwhile, or its row was removed after a month. A job that the intake has not read yet looks the
same, as after the loss of the schema; so only what stands behind the intake's position is given up.
"""

import asyncio

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from schemas.topics import JOB_EVENTS
from services.notifier.checkpoints import Checkpoints, LogView
from services.notifier.hooks.give_up import end_hooks
from services.notifier.hooks.queue import SQL

log = structlog.get_logger()

GROUP = 500


class Homeless:
    """`positions` are the intake's checkpoints."""

    def __init__(self, pool: asyncpg.Pool, view: LogView, positions: Checkpoints, written: asyncio.Event) -> None:
        self._pool = pool
        self._view = view
        self._positions = positions
        self._written = written

    async def abandon(self) -> None:
        """Gives up what cannot be sent. Kafka being away only puts it off."""
        rows = await self._pool.fetch(SQL["homeless"], GROUP)
        if not rows:
            return
        try:
            # A request is appended behind the end of its job, so whatever the intake can learn stands before these.
            ends = await self._view.end_offsets(JOB_EVENTS)
        except KafkaError as error:
            log.warning("homeless_hooks_wait_for_kafka", error=repr(error))
            return
        behind = await self._positions.behind({row["partition"]: ends[row["partition"]] for row in rows})
        lost = [row["job_id"] for row in rows if row["partition"] not in behind]
        if await end_hooks(self._pool, "abandon_homeless", (lost,), _why):
            self._written.set()


def _why(row: asyncpg.Record) -> str:
    return "ERASED" if row["erased"] else "FORGOTTEN"
