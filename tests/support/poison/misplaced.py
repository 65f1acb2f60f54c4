"""Records in the partition of another key, as another partitioner may place them: parked, and can be put back."""

from aiokafka import AIOKafkaProducer

from piperoll.log.kafka import client_options
from piperoll.log.record import Position, partition_of
from piperoll.settings import Settings
from piperoll.store.blobs import Blobs
from schemas.envelope import Headers, encode
from schemas.events import JobCreated
from schemas.topics import JOB_EVENTS
from tests.support.histories.jobs import fact


async def append_misplaced(settings: Settings, key: bytes | None, value: bytes | None, headers: Headers) -> Position:
    """Append a record of the job events to the partition after its own."""
    part = (partition_of((key or b"").decode(), settings.partitions) + 1) % settings.partitions
    producer = AIOKafkaProducer(**client_options(settings))
    await producer.start()
    try:
        sent = await producer.send_and_wait(JOB_EVENTS.name, value, key, partition=part, headers=list(headers))
    finally:
        await producer.stop()
    return Position(part, sent.offset)


async def misplaced_job(settings: Settings, job_id: str, owner: str = "local") -> Position:
    """Append the JobCreated of a noop job to the partition after its own."""
    content = b'{"job_type": "noop", "parameters": {}}'
    parameters = Blobs(settings.blob_url).put(f"{job_id}/in", content)
    created = JobCreated(job_type="noop", parameters=parameters, body_sha256="0" * 64)
    return await append_misplaced(settings, *encode(fact(job_id, created, owner=owner)))
