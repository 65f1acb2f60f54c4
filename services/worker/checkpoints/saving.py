"""Writing the checkpoints of a topic's partitions: periodically, and for the next owner of revoked ones."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, Protocol, TypeVar

import structlog

from piperoll.clock import ended_by, happens_within
from piperoll.store.blobs import BlobStoreError
from schemas.topics import Topic
from services.worker import metrics

log = structlog.get_logger()

LAST_SAVE_S = 3.0  # for the checkpoints of revoked partitions: their next owner waits


class Saved(Protocol):
    """The state of a partition: its next offset, and that of its last checkpoint."""

    next_offset: int
    saved_offset: int


S = TypeVar("S", bound=Saved)


class CheckpointSaving(Generic[S]):
    """Writes with `write`, which takes the state as it is at the call. A failure keeps an older checkpoint.

    It is slower to start from, but not wrong.
    """

    def __init__(self, topic: Topic, write: Callable[[int, S], Awaitable[None]]) -> None:
        self._topic = topic
        self._write = write

    async def save(self, partition: int, state: S) -> None:
        """Write the checkpoint of a partition that moved since its last one, also during its replay."""
        offset = state.next_offset
        if offset == state.saved_offset:
            return
        try:
            await self._write(partition, state)
        except BlobStoreError as error:
            self._note_failure(partition, str(error))
            return
        metrics.CHECKPOINTS.labels("written").inc()
        state.saved_offset = offset

    async def save_last(self, states: Mapping[int, S]) -> None:
        """Write the checkpoints of revoked partitions, together and within LAST_SAVE_S."""
        await asyncio.gather(*(self._save_last(part, state) for part, state in states.items()))

    async def _save_last(self, partition: int, state: S) -> None:
        try:
            async with asyncio.timeout(LAST_SAVE_S):
                await self.save(partition, state)
        except TimeoutError:
            self._note_failure(partition, f"not within {LAST_SAVE_S:g} s")

    def _note_failure(self, partition: int, error: str) -> None:
        metrics.CHECKPOINTS.labels("failed").inc()
        log.warning("checkpoint_not_written", topic=self._topic.name, partition=partition, error=error)


async def save_periodically(save: Callable[[], Awaitable[None]], interval_s: float, stopping: asyncio.Event) -> None:
    """Call `save` every `interval_s` seconds until `stopping` is set, which ends a call that a store holds up."""
    await ended_by(stopping, _repeat(save, interval_s, stopping))


async def _repeat(save: Callable[[], Awaitable[None]], interval_s: float, stopping: asyncio.Event) -> None:
    while not await happens_within(stopping, interval_s):
        await save()
