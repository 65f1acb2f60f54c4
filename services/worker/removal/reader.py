"""Reads the facts of documents and folders, and has removals carried out: the process manager of removal.

A removal is final whatever follows it, so it is carried out while the partition is still read, without a replay to the
end. What follows a removal is removed again.
"""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from piperoll.clock import happens_within
from piperoll.log.backlog_checkpoint import CheckpointError
from piperoll.log.continuity import StoredPosition, divergences
from piperoll.log.contract import LogView
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.parking import Parking, decode
from piperoll.log.record import Record
from piperoll.store.blobs import BlobStoreError
from schemas.topics import DOCUMENT_EVENTS
from services.worker import metrics
from services.worker.removal.checkpoint import RemovalCheckpoints, RemovalState
from services.worker.removal.remover import Remover

log = structlog.get_logger()

MAX_DUE = 10_000  # of a partition: then its reader waits, so that a replay needs no more memory
WAIT_S = 0.1


class RemovalReader:
    """The worker's Reader of documents and folders (piperoll.log.contract). `stopping` ends every wait."""

    def __init__(
        self,
        remover: Remover,
        checkpoints: RemovalCheckpoints,
        history: LogView,
        dead_letters: DeadLetters,
        stopping: asyncio.Event,
    ) -> None:
        self._remover = remover
        self._checkpoints = checkpoints
        self._history = history
        self._dead_letters = dead_letters
        self._stopping = stopping
        self._partitions: dict[int, RemovalState] = {}

    @property
    def due(self) -> int:
        """The number of documents and folders for which something is due."""
        return sum(len(state.removals.due) for state in self._partitions.values())

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        """Load each partition's checkpoint and continue what was due; return the offsets to read from."""
        loaded = {part: await self._load(part) for part in partitions}
        stored = {part: StoredPosition(one.next_offset, one.last_ce_id or None) for part, one in loaded.items() if one}
        diverged = await divergences(self._history, DOCUMENT_EVENTS, stored)
        for part, why in diverged.items():
            log.warning("checkpoint_passed_over", topic=DOCUMENT_EVENTS.name, partition=part, error=why)
        for part, state in loaded.items():
            self._partitions[part] = mine = RemovalState() if state is None or part in diverged else state
            for subject in mine.removals.due:
                self._remover.carry_out(subject, mine.removals)
        return {part: self._partitions[part].next_offset for part in partitions}

    async def revoked(self, partitions: set[int]) -> None:
        """Write the checkpoints for the next owner of the partitions."""
        for part in partitions & set(self._partitions):
            await self._save(part, self._partitions.pop(part))

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        """Fold records. Raises UnknownEventError, after what precedes the event was folded: it stops the partition."""
        state = self._partitions[partition]
        for record in records:
            if record.offset < state.next_offset:
                continue
            parking = Parking(state.removals.parked)
            fact = parking.admit(decode(record))
            if fact is not None and state.removals.fold(fact):
                self._remover.carry_out(fact.subject, state.removals)
            await self._park(state, parking)
            state.next_offset = record.offset + 1
            state.last_ce_id = record.ce_id
        while len(state.removals.due) > MAX_DUE and not await happens_within(self._stopping, WAIT_S):
            pass

    async def save_checkpoints(self) -> None:
        """Write the checkpoint of every partition that moved since its last one."""
        for part, state in list(self._partitions.items()):
            await self._save(part, state)

    async def _load(self, part: int) -> RemovalState | None:
        try:
            return await self._checkpoints.load(part)
        except (CheckpointError, BlobStoreError) as error:  # then the whole history is read, which takes longer
            log.warning("checkpoint_passed_over", topic=DOCUMENT_EVENTS.name, partition=part, error=str(error))
            return None

    async def _save(self, part: int, state: RemovalState) -> None:
        if state.next_offset == state.saved_offset:
            return
        offset = state.next_offset
        try:
            await self._checkpoints.save(part, state)
        except BlobStoreError as error:
            metrics.CHECKPOINTS.labels("failed").inc()
            log.warning("checkpoint_not_written", topic=DOCUMENT_EVENTS.name, partition=part, error=str(error))
            return
        metrics.CHECKPOINTS.labels("written").inc()
        state.saved_offset = offset

    async def _park(self, state: RemovalState, parking: Parking) -> None:
        for record, why in parking.letters:
            metrics.PARKED.inc()
            log.error("record_parked", topic=record.topic, position=str(record.position), why=why[:500])
            await self._dead_letters.park("worker", record, why)
        state.removals.parked.difference_update(parking.freed)
        state.removals.parked.update(parking.keys)
