"""The parts of the process manager of removal, and their tasks."""

import asyncio
import random

from piperoll.clock import happens_within
from piperoll.log.consumer import PartitionConsumer
from piperoll.log.contract import LogView
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.producer import KafkaAppender
from piperoll.log.stops import SkippedRecords, Stops
from piperoll.runtime import Lifetime
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs
from schemas.topics import DOCUMENT_EVENTS
from services.worker import metrics
from services.worker.checkpoints.saving import save_periodically
from services.worker.removal.checkpoint import RemovalCheckpoints
from services.worker.removal.reader import RemovalReader
from services.worker.removal.remover import Remover

GROUP = "piperoll.worker.documents"
MEASURE_INTERVAL_S = 5.0


class RemovalManager:
    """Reads the documents topic as a separate consumer group, since jobs and documents are in different partitions."""

    def __init__(
        self,
        settings: Settings,
        lifetime: Lifetime,
        blobs: AsyncBlobs,
        appender: KafkaAppender,
        history: LogView,
        cluster_id: str,
    ) -> None:
        self._stopping = lifetime.stopping
        self._clock = appender.clock
        self._interval_s = settings.checkpoint_interval_s
        self._remover = Remover(appender, blobs, appender.clock, random.Random())
        checkpoints = RemovalCheckpoints(blobs, cluster_id, f"{GROUP}/{DOCUMENT_EVENTS.name}")
        letters = DeadLetters(appender)
        self._reader = RemovalReader(self._remover, checkpoints, history, letters, self._stopping)
        self._consumer = PartitionConsumer(
            settings,
            GROUP,
            DOCUMENT_EVENTS,
            self._reader,
            on_lag=_note_lag,
            stops=Stops(GROUP, SkippedRecords(blobs), letters),
        )
        lifetime.check("documents_group", self._consumer.problem)
        lifetime.check("removal", self._remover.problem)
        lifetime.check("removal_checkpoints", self._reader.problem)

    async def run(self) -> None:
        """Run until the service stops. Raises StalledConsumerError."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._consumer.run(self._stopping))
            tasks.create_task(self._remover.run(self._stopping))
            tasks.create_task(save_periodically(self._reader.save_checkpoints, self._interval_s, self._stopping))
            tasks.create_task(self._measure())

    async def _measure(self) -> None:
        while not await happens_within(self._stopping, MEASURE_INTERVAL_S):
            self._remover.measure(self._clock())


def _note_lag(partition: int, records: int) -> None:
    metrics.DOCUMENTS_LAG.labels(partition).set(records)
