"""The table of what became of webhooks, from the topic of deliveries. One row a record; nothing is folded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Connection

from schemas.read_model import READ_SCHEMA
from schemas.topics import JOB_DELIVERIES
from services.projector.jobs.projection import Entry, text
from services.projector.jobs.rows import columns
from services.projector.readers.parking import Parking
from services.projector.readers.topic_reader import Write
from services.projector.tables.schema import queries


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One row, its fields in the order of the statement's arrays."""

    job_id: str
    partition: int
    log_offset: int
    type: str
    time: datetime
    data: str


class DeliveryTables:
    """`Tables` of the deliveries."""

    topic = JOB_DELIVERIES
    alias = "deliveries"

    def __init__(self, parking: Parking, schema: str = READ_SCHEMA) -> None:
        self._parking = parking
        self._sql = queries("queries.sql", schema)

    def units(self, entries: Sequence[Entry]) -> Iterable[Sequence[Entry]]:
        """A whole poll is one transaction."""
        return [entries] if entries else []

    async def prepare(self, entries: Sequence[Entry]) -> Write:
        """Nothing to read beforehand."""
        return self._write

    async def _write(self, connection: Connection, partition: int, entries: Sequence[Entry]) -> None:
        undecodable = [(entry.record, entry.why) for entry in entries if entry.fact is None]
        await self._parking.park_all(connection, partition, undecodable, {})
        found = delivery_rows(entries)
        if found:
            await connection.execute(self._sql["insert_deliveries"], *columns(found, DeliveryRow))


def delivery_rows(entries: Iterable[Entry]) -> list[DeliveryRow]:
    """The rows of the entries that hold a fact. Pure."""
    return [
        DeliveryRow(
            job_id=text(entry.fact.subject),
            partition=entry.record.partition,
            log_offset=entry.record.offset,
            type=entry.fact.data.type_name(),
            time=entry.fact.time,
            data=entry.fact.data.model_dump_json(exclude_none=True),
        )
        for entry in entries
        if entry.fact is not None
    ]
