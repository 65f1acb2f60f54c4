"""Deletes the rows of records that the log no longer holds: a piece after each poll, so that no statement is long."""

import time
from collections.abc import Collection
from functools import partial

import structlog
from aiokafka.errors import KafkaError
from asyncpg import Connection, InterfaceError

from piperoll.log.contract import LogView
from piperoll.outages import OUTAGES
from schemas.topics import Topic
from services.projector.database.session import Session

log = structlog.get_logger()

EXPIRE_EVERY_S = 3600.0
PIECE = 1000  # rows of one transaction


class Expiry:
    """The expiry of one topic. `statement` deletes some rows of a partition before an offset; None: it keeps all."""

    def __init__(self, session: Session, offsets: LogView, topic: Topic, statement: str | None) -> None:
        self._session = session
        self._offsets = offsets
        self._topic = topic
        self._statement = statement
        self._left: dict[int, int] = {}
        self._due_at = 0.0

    async def step(self, partitions: Collection[int]) -> None:
        """Delete one piece of what has expired in these partitions, if it is time. An outage puts it off."""
        if self._statement is None:
            return
        try:
            self._left = {part: begin for part, begin in (await self._due(partitions)).items() if part in partitions}
            for part, begin in list(self._left.items())[:1]:
                if await self._session.once(partial(_delete, self._statement, part, begin)) < PIECE:
                    del self._left[part]
        except (*OUTAGES, InterfaceError, KafkaError) as error:
            log.warning("expiry_put_off", topic=self._topic.name, error=repr(error))

    async def _due(self, partitions: Collection[int]) -> dict[int, int]:
        """The first offset kept of each partition that is not done yet; all of them begin again at intervals."""
        if self._left or time.monotonic() < self._due_at:
            return self._left
        self._due_at = time.monotonic() + EXPIRE_EVERY_S
        begins = await self._offsets.begin_offsets(self._topic)
        return {part: begins[part] for part in partitions}


async def _delete(statement: str, partition: int, begin: int, connection: Connection) -> int:
    found: int = await connection.fetchval(statement, partition, begin, PIECE)
    return found
