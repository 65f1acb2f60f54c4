"""The process manager of BatchCreated: keeps an expansion of each new batch at work beside the log reader.

Members have deterministic ids, so the next owner of the partition repeats an interrupted expansion. It first reads
which members are in the log: a member that ended long ago must not be created again.
"""

import asyncio
from dataclasses import dataclass

from piperoll.background import Background
from piperoll.clock import Clock
from piperoll.domain.batch import Batch
from piperoll.log.contract import Appender, LogView
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs
from piperoll.store.probe import StoreProbe
from services.worker.manager.expansion import Expansion, ExpansionContext
from services.worker.manager.written_members import MemberSearch

AT_ONCE = 4  # batches in memory: the specifications of one are some 20 MB


@dataclass(frozen=True, slots=True)
class RunningExpansion:
    """An expansion, the partition of its batch, and its task."""

    expansion: Expansion
    partition: int
    task: "asyncio.Task[None]"


class Expander:
    """Runs expansions beside the log reader, which must not wait for them."""

    def __init__(
        self,
        settings: Settings,
        appender: Appender,
        blobs: AsyncBlobs,
        history: LogView,
        background: Background,
        clock: Clock,
    ) -> None:
        search, room = MemberSearch(history), asyncio.Semaphore(AT_ONCE)
        probe = StoreProbe(blobs, f"{settings.instance}-batches", settings.max_body_bytes)
        self._context = ExpansionContext(appender, blobs, probe, search, clock, room)
        self._background = background
        self._running: dict[str, RunningExpansion] = {}

    def expand(self, batch: Batch, partition: int, taken_over: bool) -> None:
        """Begin to expand a batch of an assigned partition. What fails is tried again; readiness names it."""
        expansion = Expansion(self._context, batch, taken_over)
        work = self._background.until_done("the expansion", expansion.attempt, batch.batch_id)
        running = RunningExpansion(expansion, partition, asyncio.create_task(work))
        self._running[batch.batch_id] = running
        running.task.add_done_callback(lambda _: self._forget(batch.batch_id, running))

    def end(self, batch_id: str) -> None:
        """End the expansion of a batch that was expanded or erased."""
        if (running := self._running.get(batch_id)) is not None:
            running.expansion.stop()
            if not running.expansion.at_work:
                running.task.cancel()  # it waits for its next try

    def stop(self, partitions: set[int]) -> None:
        """Stop the expansions of revoked partitions; the next owner continues them."""
        for running in list(self._running.values()):
            if running.partition in partitions:
                running.task.cancel()

    def _forget(self, batch_id: str, running: RunningExpansion) -> None:
        if self._running.get(batch_id) is running:  # not that of a partition that came back
            del self._running[batch_id]
