"""A partition's backlog at an offset, stored as a blob, so that a restart does not read the whole history.

A checkpoint is only the fold up to an offset: an old one, or a late write of a superseded worker, makes a takeover
slower but not wrong; without one the partition is read from its beginning. One JSON object per line: the head, then
each open job and batch.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, ValidationError

from piperoll.domain import batch, job
from piperoll.domain.backlog import Backlog, Erasure
from piperoll.domain.ended_ids import EndedIds
from piperoll.store.blobs import AsyncBlobs, BlobMissingError

VERSION = 2  # increased when the fold or the format changes: older checkpoints are then ignored
CHUNK = 500  # jobs encoded before the event loop runs again: about 3 ms


class CheckpointError(ValueError):
    """A checkpoint that this release cannot use. The partition is read from its beginning instead."""


class Head(BaseModel):
    """The first line: the position of the fold, and the log.

    `ended` is how earlier releases wrote the ended ids; `ended_ids` is the dump of EndedIds. Earlier releases wrote no
    `lost_runs`.
    """

    version: int
    cluster_id: str
    next_offset: int
    last_ce_id: str = ""
    jobs: int
    batches: int
    ended: dict[str, datetime] = {}
    ended_ids: dict[int, str] = {}
    unchecked: list[str] = []
    parked: list[str]
    erased: dict[str, Erasure]
    lost_runs: dict[str, list[str]] = {}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A backlog, the offset up to which it accounts, exclusive, and the id of the last folded record.

    `lost_runs` are the runs that do not count and whose outputs may exist, by job.
    """

    backlog: Backlog
    next_offset: int
    last_ce_id: str = ""
    lost_runs: Mapping[str, Collection[str]] = field(default_factory=dict)


class Checkpoints:
    """The checkpoints of one consumer group's partitions."""

    def __init__(self, blobs: AsyncBlobs, cluster_id: str, folder: str) -> None:
        self._blobs = blobs
        self._cluster_id = cluster_id
        self._folder = folder

    async def save(self, partition: int, checkpoint: Checkpoint) -> None:
        """Replace the partition's checkpoint by one as it is at the call. Raises BlobStoreError."""
        backlog = checkpoint.backlog
        jobs, batches = list(backlog.jobs.values()), list(backlog.batches.values())
        head = Head(
            version=VERSION,
            cluster_id=self._cluster_id,
            next_offset=checkpoint.next_offset,
            last_ce_id=checkpoint.last_ce_id,
            jobs=len(jobs),
            batches=len(batches),
            ended_ids=backlog.ended.dump(),
            unchecked=sorted(backlog.unchecked),
            parked=sorted(backlog.parked),
            erased=dict(backlog.erased),
            lost_runs={job_id: sorted(runs) for job_id, runs in checkpoint.lost_runs.items()},
        )
        lines = [head.model_dump_json(exclude={"ended"}).encode()]
        for start in range(0, len(jobs), CHUNK):
            lines.extend(job.CODEC.dump_json(one) for one in jobs[start : start + CHUNK])
            await asyncio.sleep(0)
        lines.extend(batch.CODEC.dump_json(one) for one in batches)
        await self._blobs.replace(self._uri(partition), b"\n".join(lines))

    async def load(self, partition: int) -> Checkpoint | None:
        """The partition's checkpoint, or None. Raises CheckpointError for an unusable one, and BlobStoreError."""
        try:
            content = await self._blobs.get(self._uri(partition))
        except BlobMissingError:
            return None
        return _decode(content, self._cluster_id)

    def _uri(self, partition: int) -> str:
        return f"checkpoints/{self._folder}/{partition}"


def _decode(content: bytes, cluster_id: str) -> Checkpoint:
    first, *rest = content.split(b"\n")
    try:
        head = Head.model_validate_json(first)
        jobs = [job.CODEC.validate_json(line) for line in rest[: head.jobs]]
        batches = [batch.CODEC.validate_json(line) for line in rest[head.jobs :]]
        ended = EndedIds(head.ended) if head.ended else EndedIds.load(head.ended_ids)
    except ValidationError as error:
        raise CheckpointError(f"damaged: {error.error_count()} fields cannot be read") from error
    except ValueError as error:
        raise CheckpointError(f"damaged: {error}") from error
    if (head.version, head.cluster_id) != (VERSION, cluster_id):
        raise CheckpointError(f"written by version {head.version} on the cluster {head.cluster_id}")
    if (len(jobs), len(batches)) != (head.jobs, head.batches):
        raise CheckpointError("cut off")
    backlog = Backlog(
        jobs={one.job_id: one for one in jobs},
        ended=ended,
        batches={one.batch_id: one for one in batches},
        parked=set(head.parked),
        erased=head.erased,
        unchecked=set(head.unchecked),
    )
    return Checkpoint(backlog, head.next_offset, head.last_ce_id, head.lost_runs)
