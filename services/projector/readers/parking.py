"""The parked keys in the tables. `piperoll.log.parking` decides which records are parked."""

from collections.abc import Iterable

import structlog
from asyncpg import Connection

from piperoll.log.dead_letters import DeadLetters
from piperoll.log.parking import Decoded, Parking
from services.projector import metrics
from services.projector.tables.schema import queries

log = structlog.get_logger()
CONSUMER = "projector"


class ParkedKeys:
    """The keys of one topic. `prefix` distinguishes them from the same keys in another topic.

    Without dead letters, as in a rebuild, none are sent: the records were parked when they were first read.
    """

    def __init__(self, dead_letters: DeadLetters | None, prefix: str, schema: str) -> None:
        self._dead_letters = dead_letters
        self._prefix = prefix
        self._sql = queries("queries.sql", schema)

    async def load(self, connection: Connection, entries: Iterable[Decoded]) -> Parking:
        """Return the parked keys among those of `entries`."""
        keys = {self._prefix + entry.record.key_text for entry in entries}
        rows = await connection.fetch(self._sql["parked"], list(keys))
        return Parking({row["job_id"].removeprefix(self._prefix) for row in rows})

    async def save(self, connection: Connection, partition: int, parking: Parking) -> None:
        """Send the dead letters, and store the new keys. Sent before the commit: at least once."""
        for record, why in parking.letters:
            log.error("record_parked", topic=record.topic, position=str(record.position), why=why[:500])
            if self._dead_letters is not None:
                await self._dead_letters.park(CONSUMER, record, why)
            metrics.PARKED.labels(record.topic).inc()
        if parking.keys:
            keys = [self._prefix + key for key in parking.keys]
            await connection.execute(self._sql["park"], keys, list(parking.keys.values()), partition)
