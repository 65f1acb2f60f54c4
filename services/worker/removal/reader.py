"""Reads the facts of documents and folders, and has removals carried out: the process manager of removal.

A removal is final whatever follows it, so it is carried out while the partition is still read, without a replay to the
end. What follows a removal is removed again.
"""

import asyncio
from collections.abc import Mapping, Sequence

from piperoll.clock import happens_within
from piperoll.log.contract import LogView
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.parking import Parking, decode
from piperoll.log.record import Record
from schemas.topics import DOCUMENT_EVENTS
from services.worker import metrics
from services.worker.checkpoints.loading import CheckpointLoading
from services.worker.checkpoints.saving import CheckpointSaving
from services.worker.removal.checkpoint import RemovalCheckpoints, RemovalState
from services.worker.removal.remover import Remover

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
        self._dead_letters = dead_letters
        self._stopping = stopping
        self._loading = CheckpointLoading(DOCUMENT_EVENTS, checkpoints.load, history)
        self._saving = CheckpointSaving(DOCUMENT_EVENTS, checkpoints.save)
        self._partitions: dict[int, RemovalState] = {}

    def problem(self) -> str | None:
        """A sentence while a checkpoint cannot be read."""
        return self._loading.problem()

    @property
    def due(self) -> int:
        """The number of documents and folders for which something is due."""
        return sum(len(state.removals.due) for state in self._partitions.values())

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        """Load each partition's checkpoint and continue what was due; return the offsets of those that are loaded.

        Raises LogDivergedError if the log is not that of the blob store.
        """
        loaded = await self._loading.take(partitions)
        for part, state in loaded.items():
            mine = state or RemovalState()
            self._partitions[part] = mine
            for subject in mine.removals.due:
                self._remover.carry_out(subject, mine.removals)
        return {part: self._partitions[part].next_offset for part in loaded}

    async def revoked(self, partitions: set[int]) -> None:
        """Write the checkpoints for the next owner of the partitions."""
        self._loading.stop(partitions)
        await self._saving.save_last({part: self._partitions.pop(part) for part in partitions & set(self._partitions)})

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
            if parking.letters:
                await self._dead_letters.park_all("worker", parking.letters)
                metrics.PARKED.inc(len(parking.letters))
            parking.update(state.removals.parked)
            state.next_offset = record.offset + 1
            state.last_ce_id = record.ce_id
        while len(state.removals.due) > MAX_DUE and not await happens_within(self._stopping, WAIT_S):
            pass

    async def save_checkpoints(self) -> None:
        """Write the checkpoint of every partition that moved since its last one."""
        for part, state in list(self._partitions.items()):
            await self._saving.save(part, state)
