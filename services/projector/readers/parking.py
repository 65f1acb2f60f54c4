"""The parked keys in the tables. `piperoll.log.parking` decides which records are parked."""

from asyncpg import Connection

from piperoll.log.dead_letters import DeadLetters
from piperoll.log.parking import ParkedCache, Parking
from services.projector import metrics
from services.projector.database.schema import queries

CONSUMER = "projector"


class ParkedKeys:
    """The keys of one topic. `prefix` distinguishes them from the same keys in another topic.

    Without dead letters, as in a rebuild, none are sent: the records were parked when they were first read.
    """

    def __init__(self, dead_letters: DeadLetters | None, prefix: str, schema: str) -> None:
        self._dead_letters = dead_letters
        self._prefix = prefix
        self._sql = queries("queries.sql", schema)
        self._cache = ParkedCache()

    async def load(self, connection: Connection, partition: int, next_offset: int) -> Parking:
        """Return the parked keys of a partition whose checkpoint is at `next_offset`."""
        if (keys := self._cache.get(partition, next_offset)) is not None:
            return Parking(keys)
        rows = await connection.fetch(self._sql["parked"], partition, self._prefix)
        return Parking({row["job_id"].removeprefix(self._prefix) for row in rows})

    def committed(self, partition: int, next_offset: int, parking: Parking) -> None:
        """Note the keys, and count the letters, after a transaction that moved the checkpoint to `next_offset`."""
        if self._dead_letters is not None:
            for record, _ in parking.letters:
                metrics.PARKED.labels(record.topic).inc()
        self._cache.put(partition, next_offset, parking)

    async def save(self, connection: Connection, partition: int, parking: Parking) -> None:
        """Send the dead letters, and store which keys are parked. Sent before the commit: at least once."""
        if self._dead_letters is not None:
            await self._dead_letters.park_all(CONSUMER, parking.letters)
        if parking.freed:
            await connection.execute(self._sql["unpark"], [self._prefix + key for key in parking.freed], partition)
        if parking.keys:
            keys = [self._prefix + key for key in parking.keys]
            await connection.execute(self._sql["park"], keys, list(parking.keys.values()), partition)
