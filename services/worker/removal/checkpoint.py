"""What is due in a partition of documents, and the position of the fold, stored as a blob.

As for jobs (`piperoll.log.backlog_checkpoint`), an old checkpoint costs time and is not wrong: a removal that is
carried out twice deletes nothing else.
"""

from dataclasses import dataclass, field

from pydantic import BaseModel, ValidationError

from piperoll.domain.removals import DueRemoval, Removals
from piperoll.log.backlog_checkpoint import CheckpointError
from piperoll.store.blobs import AsyncBlobs, BlobMissingError

VERSION = 1  # increased when the fold or the format changes: older checkpoints are then ignored


class Stored(BaseModel):
    """The content of the blob."""

    version: int
    cluster_id: str
    next_offset: int
    last_ce_id: str
    due: dict[str, DueRemoval]
    parked: list[str]


@dataclass(slots=True)
class RemovalState:
    """A partition's fold, the offset up to which it accounts, exclusive, and the id of the last folded record.

    `saved_offset` is that of its last checkpoint.
    """

    removals: Removals = field(default_factory=Removals)
    next_offset: int = 0
    last_ce_id: str = ""
    saved_offset: int = 0


class RemovalCheckpoints:
    """The checkpoints of one consumer group's partitions."""

    def __init__(self, blobs: AsyncBlobs, cluster_id: str, folder: str) -> None:
        self._blobs = blobs
        self._cluster_id = cluster_id
        self._folder = folder

    async def save(self, partition: int, state: RemovalState) -> None:
        """Replace the partition's checkpoint. Raises BlobStoreError."""
        stored = Stored(
            version=VERSION,
            cluster_id=self._cluster_id,
            next_offset=state.next_offset,
            last_ce_id=state.last_ce_id,
            due=dict(state.removals.due),
            parked=sorted(state.removals.parked),
        )
        await self._blobs.replace(self._uri(partition), stored.model_dump_json().encode())

    async def load(self, partition: int) -> RemovalState | None:
        """The partition's checkpoint, or None. Raises CheckpointError for an unusable one, and BlobStoreError."""
        try:
            stored = Stored.model_validate_json(await self._blobs.get(self._uri(partition)))
        except BlobMissingError:
            return None
        except ValidationError as error:
            raise CheckpointError(f"damaged: {error.error_count()} fields cannot be read") from error
        if (stored.version, stored.cluster_id) != (VERSION, self._cluster_id):
            raise CheckpointError(f"written by version {stored.version} on the cluster {stored.cluster_id}")
        removals = Removals(due=stored.due, parked=set(stored.parked))
        return RemovalState(removals, stored.next_offset, stored.last_ce_id, stored.next_offset)

    def _uri(self, partition: int) -> str:
        return f"checkpoints/{self._folder}/{partition}"
