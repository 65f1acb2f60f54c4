"""The worker's composition root: its parts, and the order in which they start and end."""

import asyncio
import random

from piperoll.clock import happens_within, utc_now
from piperoll.log.admin import require_topics
from piperoll.log.backlog_checkpoint import Checkpoints
from piperoll.log.consumer import PartitionConsumer
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.stops import SkippedRecords, Stops
from piperoll.runtime import Lifetime
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.topics import JOB_EVENTS
from services.worker import metrics
from services.worker.children.pool import ChildPool
from services.worker.cleanup.erasure import Eraser
from services.worker.cleanup.sweep import Sweeper
from services.worker.manager.batch_expander import Expander
from services.worker.manager.log_reader import PartitionReader, save_periodically
from services.worker.manager.runner import Runner

GROUP = "piperoll.worker"
MEASURE_INTERVAL_S = 5.0


async def main(settings: Settings, lifetime: Lifetime) -> None:
    """Run jobs until `lifetime` ends; then release unfinished ones and write checkpoints."""
    await require_topics(settings)
    blobs = AsyncBlobs(Blobs(settings.blob_url))
    appender = KafkaAppender(settings, f"{settings.instance}-worker")
    offsets = KafkaOffsets(settings)
    pool = ChildPool(settings, settings.slots)
    await appender.start()
    await offsets.start()
    await pool.start()
    metrics.SLOTS.set(settings.slots)
    try:
        await _serve(settings, lifetime, blobs, appender, offsets, pool)
    finally:
        await pool.stop()
        await offsets.stop()
        await appender.stop()
        blobs.close()


async def _serve(
    settings: Settings,
    lifetime: Lifetime,
    blobs: AsyncBlobs,
    appender: KafkaAppender,
    offsets: KafkaOffsets,
    pool: ChildPool,
) -> None:
    runner = Runner(settings, appender, blobs, pool, utc_now, random.Random())
    expander = Expander(appender, blobs, offsets, utc_now)
    checkpoints = Checkpoints(blobs, await offsets.cluster_id(), f"{GROUP}/{JOB_EVENTS.name}")

    eraser = Eraser(blobs, runner.await_exit)
    letters = DeadLetters(appender)
    reader = PartitionReader(runner, expander, checkpoints, offsets, letters, eraser, utc_now)
    sweeper = Sweeper(settings, blobs, utc_now, reader.live, eraser)
    consumer = PartitionConsumer(
        settings,
        GROUP,
        JOB_EVENTS,
        reader,
        on_lag=lambda part, lag: metrics.LAG.labels(part).set(lag),
        stops=Stops(GROUP, SkippedRecords(blobs), letters),
    )
    for name, check in (
        ("group", consumer.problem),
        ("replay", reader.problem),
        ("children", pool.problem),
        ("kafka", appender.problem),
    ):
        lifetime.check(name, check)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_drain(reader, lifetime.stopping))
        tasks.create_task(consumer.run(lifetime.stopping))
        tasks.create_task(runner.run(lifetime.stopping))
        tasks.create_task(eraser.run(lifetime.stopping))
        tasks.create_task(sweeper.run(lifetime.stopping))
        tasks.create_task(save_periodically(reader, settings.checkpoint_interval_s, lifetime.stopping))
        tasks.create_task(_measure(runner, lifetime.stopping))


async def _drain(reader: PartitionReader, stopping: asyncio.Event) -> None:
    """Release from now on with the reason that the worker ends."""
    await stopping.wait()
    reader.draining = True


async def _measure(runner: Runner, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        runner.measure()
        await happens_within(stopping, MEASURE_INTERVAL_S)
