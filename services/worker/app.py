"""The worker's composition root: its parts, and the order in which they start and end."""

import asyncio
import random
from functools import partial

import structlog

from piperoll.clock import ended_by, happens_within, utc_now
from piperoll.installation.guard import Guard
from piperoll.log.backlog_checkpoint import Checkpoints
from piperoll.log.consumer import PartitionConsumer
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.stops import SkippedRecords, Stops
from piperoll.log.topics.watch import TopicWatch
from piperoll.outages import StoppedWaitingError
from piperoll.runtime import Lifetime
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.topics import JOB_EVENTS
from services.worker import metrics
from services.worker.children.pool import ChildPool
from services.worker.cleanup.erasure import Eraser
from services.worker.cleanup.sweep.knowledge import WorkerKnowledge
from services.worker.cleanup.sweep.sweeper import StoreSweep, Sweeper
from services.worker.cleanup.upload_uses import UploadUses
from services.worker.manager.batch_expander import Expander
from services.worker.manager.claim_gate import ClaimGate
from services.worker.manager.log_reader import PartitionReader, save_periodically
from services.worker.manager.runner import Runner
from services.worker.manager.unaccounted import report_unaccounted
from services.worker.removal.manager import RemovalManager

log = structlog.get_logger()

GROUP = "piperoll.worker"
MEASURE_INTERVAL_S = 5.0


async def main(settings: Settings, lifetime: Lifetime) -> None:
    """Run jobs until `lifetime` ends; then release unfinished ones and write checkpoints."""
    topics = TopicWatch(settings)
    await topics.begin()
    lifetime.check("topics", topics.problem)
    blobs = AsyncBlobs(Blobs(settings.blob_url))
    appender = KafkaAppender(settings, f"{settings.instance}-worker")
    offsets = KafkaOffsets(settings)
    pool = ChildPool(settings, settings.slots, marked=True)
    guard = Guard(blobs, offsets)
    lifetime.check("installation", guard.problem)
    await appender.start()
    await offsets.start()
    try:
        await guard.begin(lifetime.stopping)  # before anything of the store is read, written or deleted
        await pool.start()
        metrics.SLOTS.set(settings.slots)
        await _serve(settings, lifetime, blobs, appender, offsets, pool, guard, topics)
    except StoppedWaitingError as error:
        log.info("stopped_during_an_outage", why=str(error))
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
    guard: Guard,
    topics: TopicWatch,
) -> None:
    gate = ClaimGate(
        {"the blob store": partial(blobs.check, settings.instance), "the scratch folder": pool.check_scratch}
    )
    runner = Runner(settings, appender, blobs, pool, gate, appender.clock, random.Random())
    expander = Expander(appender, blobs, offsets, lifetime.background, appender.clock)
    checkpoints = Checkpoints(blobs, await offsets.cluster_id(), f"{GROUP}/{JOB_EVENTS.name}")

    uses = UploadUses(blobs, offsets, settings.partitions, lambda job_id: reader.knows(job_id))
    eraser = Eraser(blobs, runner.await_exit, uses)
    letters = DeadLetters(appender)
    reader = PartitionReader(runner, expander, checkpoints, offsets, letters, eraser, appender.clock)
    knowledge, chances = WorkerKnowledge(reader.live, reader.positions), random.Random()
    sweep = StoreSweep(settings, blobs, offsets, knowledge, eraser.erase, appender.clock, chances)
    sweeper = Sweeper(settings, sweep, chances, guard.why_not_compared)
    removal = RemovalManager(settings, lifetime, blobs, appender, offsets, await offsets.cluster_id())
    consumer = PartitionConsumer(
        settings,
        GROUP,
        JOB_EVENTS,
        reader,
        on_lag=lambda part, lag: metrics.LAG.labels(part).set(lag),
        clock=appender.clock,
        stops=Stops(GROUP, SkippedRecords(blobs), letters),
    )
    runner.may_claim = consumer.membership.is_current
    for name, check in (
        ("group", consumer.problem),
        ("replay", reader.problem),
        ("look_ups", reader.look_ups.problem),
        ("children", pool.problem),
        ("stores", gate.problem),
        ("clock", appender.clock.problem),
        ("kafka", appender.problem),
        ("erasure", eraser.problem),
        ("sweep", sweeper.problem),
    ):
        lifetime.check(name, check)
    stopping = lifetime.stopping
    async with asyncio.TaskGroup() as tasks:
        for name, work in (
            ("the comparison of the stores", guard.run(stopping)),
            ("the watch of the topics", topics.run(stopping)),
            ("the end of claims", _drain(reader, stopping)),
            ("the log reader", consumer.run(stopping)),
            ("the producer's watch", appender.watch(stopping)),
            ("the trial of the stores", gate.run(stopping)),
            ("the runner", runner.run(stopping)),
            ("erasure", eraser.run(stopping)),
            ("the sweep", ended_by(stopping, sweeper.run(stopping))),
            ("removal", removal.run()),
            ("checkpoints", save_periodically(reader, settings.checkpoint_interval_s, stopping)),
            ("measuring", _measure(runner, reader, eraser, offsets, stopping)),
        ):
            tasks.create_task(lifetime.background.loop(name, work))


async def _drain(reader: PartitionReader, stopping: asyncio.Event) -> None:
    """Release from now on with the reason that the worker ends."""
    await stopping.wait()
    reader.draining = True


async def _measure(
    runner: Runner, reader: PartitionReader, eraser: Eraser, offsets: KafkaOffsets, stopping: asyncio.Event
) -> None:
    reported: set[str] = set()
    while not await happens_within(stopping, MEASURE_INTERVAL_S):
        runner.measure()
        eraser.measure(utc_now())
        stuck = reader.unaccounted()
        metrics.UNACCOUNTED.set(len(stuck))
        reported = await report_unaccounted(stuck, reported, offsets)
