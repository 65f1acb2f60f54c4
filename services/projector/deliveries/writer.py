"""The table of deliveries, from their topic: one row per fact, by its id, since the relay may append one twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Connection

from schemas.envelope import Fact
from schemas.read_model_names import READ_SCHEMA
from schemas.topics import JOB_DELIVERIES
from services.projector.database.schema import queries
from services.projector.database.values import columns, text
from services.projector.readers.topic_reader import TopicWriter, Write

PARKED_DELIVERIES = "deliveries/"


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """One row, its fields in the order of the statement's arrays."""

    job_id: str
    partition: int
    log_offset: int
    type: str
    time: datetime
    data: str
    ce_id: str


class DeliveryWriter(TopicWriter):
    """Writes the deliveries, whose keys are those of the job events."""

    topic = JOB_DELIVERIES
    alias = "deliveries"
    parked_prefix = PARKED_DELIVERIES
    expiry = "expire_deliveries"

    def __init__(self, schema: str = READ_SCHEMA) -> None:
        self._sql = queries("queries.sql", schema)

    async def prepare(self, facts: Sequence[Fact]) -> Write:
        """Nothing to read beforehand."""
        return self._write

    async def _write(self, connection: Connection, partition: int, facts: Sequence[tuple[Fact, int]]) -> None:
        if facts:
            rows = [_of_fact(fact, partition, offset) for fact, offset in facts]
            await connection.execute(self._sql["insert_deliveries"], *columns(rows, StoredDelivery))


def _of_fact(fact: Fact, partition: int, offset: int) -> StoredDelivery:
    return StoredDelivery(
        job_id=text(fact.subject),
        partition=partition,
        log_offset=offset,
        type=fact.data.type_name(),
        time=fact.time,
        data=fact.data.model_dump_json(exclude_none=True),
        ce_id=text(fact.id),
    )
