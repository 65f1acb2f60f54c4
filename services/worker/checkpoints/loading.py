"""Loading the checkpoints of a topic's partitions, beside the reading of those that are loaded.

Outages are waited for, as is a store that neither answers nor fails. A log that is not theirs is refused.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, Protocol, TypeVar

import structlog

from piperoll.clock import pauses
from piperoll.log.backlog_checkpoint import CheckpointError
from piperoll.log.continuity import LogDivergedError, StoredPosition, divergences
from piperoll.log.contract import LogView
from piperoll.store.blobs import BlobStoreError
from schemas.topics import Topic

log = structlog.get_logger()

WAIT_S = 1.0  # for a store that answers; meanwhile no other partition is read


class Positioned(Protocol):
    """What a checkpoint holds of the log: the next offset, and the id of the last record before it."""

    @property
    def next_offset(self) -> int:
        """The offset up to which it accounts, exclusive."""
        ...

    @property
    def last_ce_id(self) -> str:
        """The id of the last folded record; empty if it is not known."""
        ...


T = TypeVar("T", bound=Positioned)


class CheckpointLoading(Generic[T]):
    """Loads with `load`, which returns None without a checkpoint."""

    def __init__(self, topic: Topic, load: Callable[[int], Awaitable[T | None]], history: LogView) -> None:
        self._topic = topic
        self._load = load
        self._history = history
        self._tasks: dict[int, asyncio.Task[T | None]] = {}
        self._problems: dict[int, str] = {}

    def problem(self) -> str | None:
        """A sentence while a checkpoint is not read."""
        return next((self._problems[part] for part, task in self._tasks.items() if not task.done()), None)

    async def take(self, partitions: set[int]) -> Mapping[int, T | None]:
        """Return the checkpoints that are loaded, None without a usable one. A later call returns the others.

        Raises LogDivergedError, and what the log raises.
        """
        new = partitions - self._tasks.keys()
        for part in new:
            self._problems[part] = f"{self._name(part)} is not read yet"
            self._tasks[part] = asyncio.create_task(self._outlast(part))
        if partitions:
            await asyncio.wait([self._tasks[part] for part in partitions], timeout=WAIT_S if new else 0)
        loaded = {part: self._tasks[part].result() for part in partitions if self._tasks[part].done()}
        if loaded:
            await self._require_their_log(loaded)
        for part in loaded:
            del self._tasks[part]
        return loaded

    def stop(self, partitions: set[int]) -> None:
        """Load no checkpoints of revoked partitions any more."""
        for part in partitions:
            if (task := self._tasks.pop(part, None)) is not None:
                task.cancel()

    async def _outlast(self, partition: int) -> T | None:
        """Load one checkpoint, however long the store is away.

        To read the whole history instead takes longer than most outages, and forgets which jobs need a look-up.
        """
        for pause in pauses():
            try:
                return await self._load(partition)
            except CheckpointError as error:
                self._warn("checkpoint_passed_over", partition, error)
                return None
            except BlobStoreError as error:
                self._problems[partition] = f"{self._name(partition)} cannot be read: {error}"
                self._warn("checkpoint_waits_for_blob_store", partition, error)
            await asyncio.sleep(pause)
        raise AssertionError("pauses never end")

    def _name(self, partition: int) -> str:
        return f"the checkpoint of {self._topic.name}, partition {partition},"

    def _warn(self, event: str, partition: int, error: Exception) -> None:
        log.warning(event, topic=self._topic.name, partition=partition, error=str(error))

    async def _require_their_log(self, loaded: Mapping[int, T | None]) -> None:
        """Raise LogDivergedError if checkpoints are not of this log: by it, needed contents would be deleted."""
        stored = {part: StoredPosition(one.next_offset, one.last_ce_id or None) for part, one in loaded.items() if one}
        if diverged := await divergences(self._history, self._topic, stored):
            raise LogDivergedError(
                f"the worker's checkpoints in the blob store are of another log than {self._topic.name} ({diverged}): "
                "correct PIPEROLL_KAFKA_BOOTSTRAP or PIPEROLL_BLOB_URL; after a restore of an older log run "
                "`piperoll adopt`"
            )
