"""The worker's composition root: its parts, and the order in which they start and end."""

import asyncio
import random
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from piperoll.clock import Clock, ended_by, happens_within
from piperoll.installation.guard import Guard
from piperoll.log.backlog_checkpoint import Checkpoints
from piperoll.log.consumer import PartitionConsumer
from piperoll.log.contract import LogView
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.stops import SkippedRecords, Stops
from piperoll.log.topics.groups import MemberNote
from piperoll.log.topics.watch import TopicWatch
from piperoll.outages import StoppedWaitingError
from piperoll.runtime import Lifetime
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.topics import JOB_EVENTS
from services.worker import metrics
from services.worker.checkpoints.saving import save_periodically
from services.worker.children.pool import ChildPool
from services.worker.cleanup.erasure import Eraser
from services.worker.cleanup.sweep.knowledge import WorkerKnowledge
from services.worker.cleanup.sweep.sweeper import StoreSweep, Sweeper
from services.worker.cleanup.upload_uses import UploadUses
from services.worker.manager.batch_expander import Expander
from services.worker.manager.claim_gate import ClaimGate
from services.worker.manager.log_reader import PartitionReader
from services.worker.manager.runner import Runner
from services.worker.manager.unaccounted import report_unaccounted
from services.worker.removal.manager import RemovalManager

log = structlog.get_logger()

GROUP = "piperoll.worker"
MEASURE_INTERVAL_S = 5.0


@dataclass(frozen=True, slots=True)
class Clients:
    """What connects the worker to the stores, to the log and to its children."""

    blobs: AsyncBlobs
    appender: KafkaAppender
    offsets: KafkaOffsets
    pool: ChildPool
    guard: Guard
    topics: TopicWatch


@dataclass(frozen=True, slots=True)
class Parts:
    """What works in a worker."""

    gate: ClaimGate
    runner: Runner
    reader: PartitionReader
    eraser: Eraser
    sweeper: Sweeper
    removal: RemovalManager
    consumer: PartitionConsumer


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
        await _serve(settings, lifetime, Clients(blobs, appender, offsets, pool, guard, topics))
    except StoppedWaitingError as error:
        log.info("stopped_during_an_outage", why=str(error))
    finally:
        await pool.stop()
        await offsets.stop()
        await appender.stop()
        blobs.close()


async def _serve(settings: Settings, lifetime: Lifetime, clients: Clients) -> None:
    parts = await _connect(settings, lifetime, clients)
    _register_checks(lifetime, clients, parts)
    async with asyncio.TaskGroup() as tasks:
        for name, work in _lasting_work(settings, lifetime.stopping, clients, parts):
            tasks.create_task(lifetime.background.loop(name, work))


async def _connect(settings: Settings, lifetime: Lifetime, clients: Clients) -> Parts:
    blobs, appender, offsets, pool = clients.blobs, clients.appender, clients.offsets, clients.pool
    clock, chances, cluster_id = appender.clock, random.Random(), await offsets.cluster_id()
    gate = ClaimGate(
        {"the blob store": partial(blobs.check, settings.instance), "the scratch folder": pool.check_scratch}
    )
    runner = Runner(settings, appender, blobs, pool, gate, clock, random.Random())
    expander = Expander(settings, appender, blobs, offsets, lifetime.background, clock)
    checkpoints = Checkpoints(blobs, cluster_id, f"{GROUP}/{JOB_EVENTS.name}")
    uses = UploadUses(blobs, offsets, settings.partitions, lambda job_id: reader.knows(job_id))
    eraser = Eraser(blobs, runner.await_exit, uses)
    letters = DeadLetters(appender)
    reader = PartitionReader(runner, expander, checkpoints, offsets, letters, eraser, clock)
    knowledge = WorkerKnowledge(reader.live, reader.positions)
    sweep = StoreSweep(settings, blobs, offsets, knowledge, eraser.erase, clock, chances, eraser.drop_specs)
    sweeper = Sweeper(settings, sweep, chances, clients.guard.why_not_compared)
    removal = RemovalManager(settings, lifetime, blobs, appender, offsets, cluster_id)
    consumer = PartitionConsumer(
        settings,
        GROUP,
        JOB_EVENTS,
        reader,
        on_lag=lambda part, lag: metrics.LAG.labels(part).set(lag),
        clock=clock,
        stops=Stops(GROUP, SkippedRecords(blobs), letters),
        note=MemberNote(slots=settings.slots),
    )
    runner.may_claim = consumer.membership.is_current
    return Parts(gate, runner, reader, eraser, sweeper, removal, consumer)


def _register_checks(lifetime: Lifetime, clients: Clients, parts: Parts) -> None:
    for name, check in (
        ("group", parts.consumer.problem),
        ("replay", parts.reader.problem),
        ("look_ups", parts.reader.look_ups.problem),
        ("children", clients.pool.problem),
        ("stores", parts.gate.problem),
        ("clock", clients.appender.clock.problem),
        ("kafka", clients.appender.problem),
        ("erasure", parts.eraser.problem),
        ("sweep", parts.sweeper.problem),
    ):
        lifetime.check(name, check)


def _lasting_work(
    settings: Settings, stopping: asyncio.Event, clients: Clients, parts: Parts
) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
    """Yield all that goes on until the stop, by name."""
    reader, interval_s = parts.reader, settings.checkpoint_interval_s
    yield "the comparison of the stores", clients.guard.run(stopping)
    yield "the watch of the topics", clients.topics.run(stopping)
    yield "the end of claims", _drain(reader, stopping)
    yield "the log reader", parts.consumer.run(stopping)
    yield "the producer's watch", clients.appender.watch(stopping)
    yield "the trial of the stores", parts.gate.run(stopping)
    yield "the runner", parts.runner.run(stopping)
    yield "erasure", parts.eraser.run(stopping)
    yield "the sweep", ended_by(stopping, parts.sweeper.run(stopping))
    yield "removal", parts.removal.run()
    yield "checkpoints", save_periodically(reader.save_checkpoints, interval_s, stopping)
    yield "measuring", measure(parts.runner, reader, parts.eraser, clients.offsets, clients.appender.clock, stopping)


async def _drain(reader: PartitionReader, stopping: asyncio.Event) -> None:
    """Release from now on with the reason that the worker ends."""
    await stopping.wait()
    reader.draining = True


async def measure(
    runner: Runner, reader: PartitionReader, eraser: Eraser, history: LogView, clock: Clock, stopping: asyncio.Event
) -> None:
    """Set the gauges that follow time every MEASURE_INTERVAL_S, until `stopping` is set. `clock` is the brokers'."""
    reported: set[str] = set()
    while not await happens_within(stopping, MEASURE_INTERVAL_S):
        runner.measure()
        eraser.measure(clock())
        stuck = reader.unaccounted()
        metrics.UNACCOUNTED.set(len(stuck))
        reported = await report_unaccounted(stuck, reported, history)
