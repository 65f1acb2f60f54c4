"""The process manager of BatchCreated: keeps an expansion of each new batch at work beside the log reader.

Members have deterministic ids, so the next owner of the partition repeats an interrupted expansion. It first reads
which members are in the log: a member that ended long ago must not be created again.
"""

import asyncio

from piperoll.background import Background
from piperoll.clock import Clock
from piperoll.domain.batch import Batch
from piperoll.log.contract import Appender, LogView
from piperoll.store.blobs import AsyncBlobs
from piperoll.store.probe import StoreProbe
from services.worker.manager.expansion import Expansion, ExpansionContext
from services.worker.manager.written_members import MemberSearch

AT_ONCE = 4  # batches in memory: the specifications of one are some 20 MB


class Expander:
    """Runs expansions beside the log reader, which must not wait for them."""

    def __init__(
        self, appender: Appender, blobs: AsyncBlobs, history: LogView, background: Background, clock: Clock
    ) -> None:
        search, room = MemberSearch(history), asyncio.Semaphore(AT_ONCE)
        self._context = ExpansionContext(appender, blobs, StoreProbe(blobs), search, clock, room)
        self._background = background
        self._tasks: dict[asyncio.Task[None], int] = {}

    def expand(self, batch: Batch, partition: int, taken_over: bool) -> None:
        """Begin to expand a batch of an assigned partition. What fails is tried again; readiness names it."""
        expansion = Expansion(self._context, batch, taken_over)
        work = self._background.until_done("the expansion", expansion.attempt, batch.batch_id)
        task = asyncio.create_task(work)
        self._tasks[task] = partition
        task.add_done_callback(self._tasks.pop)

    def stop(self, partitions: set[int]) -> None:
        """Stop the expansions of revoked partitions; the next owner continues them."""
        for task, partition in list(self._tasks.items()):
            if partition in partitions:
                task.cancel()
