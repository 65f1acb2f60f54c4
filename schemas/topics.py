"""The topics: their records, keys, retention, writers and readers.

Records are partitioned by murmur2 of the key (the Java client's default; librdkafka: `partitioner=murmur2_random`), so
all facts of a job are in one partition, in one order. The number of partitions is fixed when a topic is created.
"""

from dataclasses import dataclass

DAY_MS = 24 * 3600 * 1000
FOR_EVER = -1


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of the manifest. `retention_ms` of -1 keeps records for ever."""

    name: str
    key: str
    retention_ms: int
    writers: tuple[str, ...]
    groups: tuple[str, ...]
    asked_by: tuple[str, ...] = ()
    """The services that read records of it when they are asked, without a consumer group."""

    def config(self) -> dict[str, str]:
        """The topic settings that the contract fixes. Timestamps are append times, which seeking relies on."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": "-1",
            "message.timestamp.type": "LogAppendTime",
        }


JOB_EVENTS = Topic(
    name="piperoll.jobs.events.v1",
    key="job_id, or batch_id for the facts of a batch",
    retention_ms=FOR_EVER,
    writers=("api", "worker"),
    groups=("piperoll.worker", "piperoll.projector", "piperoll.notifier"),
    asked_by=("api",),
)
JOB_DELIVERIES = Topic(
    name="piperoll.jobs.deliveries.v1",
    key="job_id",
    retention_ms=30 * DAY_MS,
    writers=("api", "notifier"),
    groups=("piperoll.projector.deliveries", "piperoll.notifier.deliveries"),
    asked_by=("api",),
)
DOCUMENT_EVENTS = Topic(
    name="piperoll.documents.events.v1",
    key="document_id, or folder_id for the facts of a folder",
    retention_ms=FOR_EVER,
    writers=("api", "worker"),
    groups=("piperoll.worker.documents", "piperoll.projector.documents"),
    asked_by=("api",),
)
ENDPOINT_EVENTS = Topic(
    name="piperoll.endpoints.events.v1",
    key="endpoint_id",
    retention_ms=FOR_EVER,
    writers=("api",),
    groups=("piperoll.projector.endpoints", "piperoll.notifier.endpoints"),
    asked_by=("api",),
)
AUDIT_EVENTS = Topic(
    name="piperoll.audit.v1",
    key="key_id of the API key",
    retention_ms=90 * DAY_MS,
    writers=("api",),
    groups=(),
    asked_by=("api",),
)
DEAD_LETTERS = Topic(
    name="piperoll.dead-letters.v1",
    key="the parked record's own key",
    retention_ms=30 * DAY_MS,
    writers=("api", "worker", "projector", "notifier"),
    groups=(),
    asked_by=("api",),
)
MANIFEST: tuple[Topic, ...] = (
    JOB_EVENTS,
    JOB_DELIVERIES,
    DOCUMENT_EVENTS,
    ENDPOINT_EVENTS,
    AUDIT_EVENTS,
    DEAD_LETTERS,
)
