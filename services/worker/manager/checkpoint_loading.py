"""Loading the checkpoints of a topic's partitions: outages are waited for, and a log that is not theirs is refused."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import structlog

from piperoll.clock import pauses
from piperoll.log.backlog_checkpoint import CheckpointError
from piperoll.log.continuity import LogDivergedError, StoredPosition, divergences
from piperoll.log.contract import LogView
from piperoll.store.blobs import BlobStoreError
from schemas.topics import Topic

log = structlog.get_logger()
T = TypeVar("T")


class CheckpointLoading:
    """Loads with `load`, which returns None without a checkpoint; `stopped` ends the wait for a store."""

    def __init__(self, topic: Topic, stopped: Callable[[], bool]) -> None:
        self._topic = topic
        self._stopped = stopped
        self._problems: dict[int, str] = {}

    def problem(self) -> str | None:
        """A sentence while a checkpoint cannot be read."""
        return next(iter(self._problems.values()), None)

    async def load(self, partition: int, load: Callable[[int], Awaitable[T | None]]) -> T | None:
        """The checkpoint; None without a usable one, or when the worker stops while the store does not answer.

        To read the whole history instead takes longer than most outages, and forgets which jobs need a look-up.
        """
        try:
            for pause in pauses():
                try:
                    return await load(partition)
                except CheckpointError as error:
                    self._warn("checkpoint_passed_over", partition, error)
                    return None
                except BlobStoreError as error:
                    name = f"{self._topic.name}, partition {partition}"
                    self._problems[partition] = f"the checkpoint of {name} cannot be read: {error}"
                    self._warn("checkpoint_waits_for_blob_store", partition, error)
                    if self._stopped():
                        return None
                    await asyncio.sleep(pause)
        finally:
            self._problems.pop(partition, None)
        raise AssertionError("pauses never end")

    def _warn(self, event: str, partition: int, error: Exception) -> None:
        log.warning(event, topic=self._topic.name, partition=partition, error=str(error))


async def require_their_log(history: LogView, topic: Topic, stored: Mapping[int, StoredPosition]) -> None:
    """Raise LogDivergedError if checkpoints are not of this log: by it, needed contents would be deleted."""
    if diverged := await divergences(history, topic, stored):
        raise LogDivergedError(
            f"the worker's checkpoints in the blob store are of another log than {topic.name} ({diverged}): "
            "correct PIPEROLL_KAFKA_BOOTSTRAP or PIPEROLL_BLOB_URL; after a restore of an older log run "
            "`piperoll adopt`"
        )
