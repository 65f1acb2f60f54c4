"""An installation, and the reasons why stores are not those of one. Pure."""

from dataclasses import dataclass
from typing import Self
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from piperoll.log.identity import LogIdentity

REMEDY = "after a move or a restore on purpose, run `piperoll adopt`"


class InstallationError(RuntimeError):
    """The stores do not belong together. To continue could mix or delete the contents of two installations."""


class Installation(BaseModel):
    """The marker of the blob store: a drawn id, and the log by the ids of its cluster and of its topics."""

    model_config = ConfigDict(frozen=True)

    id: str
    cluster_id: str
    topics: dict[str, str]

    @classmethod
    def draw(cls, log: LogIdentity) -> Self:
        """Return a new installation over a log."""
        return cls(id=uuid4().hex, cluster_id=log.cluster_id, topics=dict(log.topics))

    def joined_by(self, log: LogIdentity) -> Self:
        """Return the installation with topics that its log did not have before, as after an upgrade."""
        return self.model_copy(update={"topics": {**log.topics, **self.topics}})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a blob store without a marker, and of the log beside it.

    `cluster_ids` are those in the checkpoints of the store. `records`: the log has any.
    """

    records: bool
    blobs: bool
    jobs: bool
    cluster_ids: frozenset[str] = frozenset()


def disagreement(installation: Installation, log: LogIdentity) -> str | None:
    """Return why the log is not that of the installation, with what to do; None if it is."""
    if installation.cluster_id != log.cluster_id:
        return (
            f"the blob store belongs to the Kafka cluster {installation.cluster_id}, but {log.cluster_id} answers: "
            f"correct PIPEROLL_KAFKA_BOOTSTRAP or PIPEROLL_BLOB_URL; {REMEDY}"
        )
    known = installation.topics
    again = sorted(name for name, topic_id in log.topics.items() if known.get(name, topic_id) != topic_id)
    if again:
        return f"{', '.join(again)} was deleted and created again since the blob store was filled: {REMEDY}"
    return None


def objection(evidence: Evidence, log: LogIdentity) -> str | None:
    """Return why a blob store without a marker must not get one of this log; None if both are new or of one origin.

    The releases before the marker left checkpoints with the id of the cluster.
    """
    if others := evidence.cluster_ids - {log.cluster_id}:
        return (
            f"the blob store has checkpoints of the Kafka cluster {', '.join(sorted(others))}, but {log.cluster_id} "
            f"answers: correct PIPEROLL_KAFKA_BOOTSTRAP or PIPEROLL_BLOB_URL; {REMEDY}"
        )
    if evidence.records and not evidence.blobs:
        return (
            "the blob store is empty although the log has records: mount its volume or correct PIPEROLL_BLOB_URL; "
            "if the contents are lost, or the store was moved on purpose, run `piperoll adopt`"
        )
    if evidence.jobs and not evidence.records:
        return (
            "the blob store has contents of jobs although the log is empty: correct PIPEROLL_KAFKA_BOOTSTRAP or "
            f"PIPEROLL_BLOB_URL; {REMEDY}"
        )
    return None


def strangeness(installation_id: str, stored_id: str | None, schema: str) -> str | None:
    """Return why the tables of a schema are of another installation; None if they are not, or do not name one."""
    if stored_id in (None, installation_id):
        return None
    return (
        f"the tables in {schema} belong to the installation {stored_id}, the blob store to {installation_id}: correct "
        f"PIPEROLL_POSTGRES_DSN or PIPEROLL_BLOB_URL; {REMEDY}"
    )
