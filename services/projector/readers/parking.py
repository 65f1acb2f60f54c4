"""Records that cannot be projected go to the dead letters, and what follows them under the same key goes too."""

from collections.abc import Mapping, Sequence

import structlog
from asyncpg import Connection

from piperoll.log.dead_letters import DeadLetters
from piperoll.log.record import Record
from schemas.read_model import READ_SCHEMA
from services.projector import metrics
from services.projector.tables.schema import queries

log = structlog.get_logger()
CONSUMER = "projector"


class Parking:
    """Parks records and remembers their keys. Without dead letters (in a rebuild) it only remembers:
    the records were parked when they were first met.
    """

    def __init__(self, dead_letters: DeadLetters | None, schema: str = READ_SCHEMA) -> None:
        self._dead_letters = dead_letters
        self._sql = queries("queries.sql", schema)

    async def park_all(
        self,
        connection: Connection,
        partition: int,
        records: Sequence[tuple[Record, str]],
        keys: Mapping[str, int],
    ) -> None:
        """Parks `records` with their reasons, and remembers `keys` with the offsets they park since.

        Inside the transaction and before its end: a record is parked twice rather than never.
        """
        for record, why in records:
            log.error("record_parked", topic=record.topic, position=str(record.position), why=why[:500])
            if self._dead_letters is not None:
                await self._dead_letters.park(CONSUMER, record, why)
            metrics.PARKED.labels(record.topic).inc()
        if keys:
            await connection.execute(self._sql["park"], list(keys), list(keys.values()), partition)
