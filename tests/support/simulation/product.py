"""The product's own objects, as each simulated process connects them: the one place that calls their constructors.

See the composition roots of the services (`app.py`), which connect the same parts to real clients.
"""

import asyncio
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, cast

from piperoll.background import Background
from piperoll.log.backlog_checkpoint import Checkpoints
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.producer import KafkaAppender
from piperoll.outages import Outage
from piperoll.seal import Seal
from piperoll.settings import Settings
from piperoll.webhooks.sender import Sender
from piperoll.webhooks.signatures import SigningKey
from schemas.topics import ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS
from services.notifier.checkpoints import TopicCheckpoints
from services.notifier.delivery.composer import Composer
from services.notifier.delivery.dispatcher import Dispatcher
from services.notifier.delivery.ledger import Ledger
from services.notifier.delivery.relay import Relay
from services.notifier.delivery.signing_keys import SigningKeyCache
from services.notifier.delivery.verdict import patience_s
from services.notifier.delivery.wakeup import Wakeup
from services.notifier.hooks.courier import HookCourier
from services.notifier.hooks.order import ClaimedHook
from services.notifier.hooks.outcome import HookOutcome
from services.notifier.hooks.queue import HookQueue
from services.notifier.hooks.unroutable import Unroutable
from services.notifier.notices.changes import ClaimedNotice
from services.notifier.notices.courier import NoticeCourier
from services.notifier.notices.outcome import NoticeOutcome
from services.notifier.notices.queue import NoticeQueue
from services.notifier.readers.backfill import Backfill
from services.notifier.readers.deliveries import DeliveriesReader
from services.notifier.readers.endpoint_events import EndpointEventsReader
from services.notifier.readers.gate import DeliveriesGate
from services.notifier.readers.job_events import JobEventsReader
from services.notifier.readers.server import PostgresServer
from services.notifier.readers.topic_reader import ReaderContext
from services.notifier.sweep import Sweep
from services.projector.database.session import Session
from services.projector.deliveries.writer import DeliveryWriter
from services.projector.jobs.writer import JobWriter
from services.projector.readers.topic_reader import ProjectorTopicReader
from services.worker.children.pool import ChildPool
from services.worker.cleanup.erasure import Eraser
from services.worker.cleanup.upload_uses import UploadUses
from services.worker.manager.batch_expander import Expander
from services.worker.manager.claim_gate import ClaimGate
from services.worker.manager.log_reader import PartitionReader
from services.worker.manager.runner import Runner
from tests.support.simulation.postgres.pool import ModelPool
from tests.support.simulation.process import Process
from tests.support.simulation.scripted_pool import ScriptedPool

LEASE_MARGIN_S = 3.0
SEALED_SECRET = "simulated.AAAAAAAAAAAAAAAAuc8zWC4_CFxRJKa-7MP-KiQKYKdhlklGh8iW4yM2VryLINJFG3oCFttfAtyw03uObKXFAzBg"
"""An endpoint's secret, sealed with the key of all notifiers: sealed again, it would be another text."""
CHECKPOINT_FOLDER = "simulation"


@cache
def _settings(instance: str, slots: int, partitions: int, more: tuple[tuple[str, str], ...]) -> Settings:
    own = {"PIPEROLL_INSTANCE": instance, "PIPEROLL_SLOTS": str(slots), "PIPEROLL_PARTITIONS": str(partitions)}
    return Settings.from_environment({**own, **dict(more)})


def settings_of(process: Process) -> Settings:
    """The settings of one simulated process."""
    world = process.world
    return _settings(process.instance, world.slots, world.partitions, tuple(world.environment.items()))


def dead_letters_of(process: Process) -> DeadLetters:
    """The process's way to the dead letters."""
    return DeadLetters(cast(KafkaAppender, process.network))


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """The parts of a worker (services.worker.app)."""

    background: Background
    gate: ClaimGate
    runner: Runner
    expander: Expander
    eraser: Eraser
    reader: PartitionReader


def worker_parts(process: Process, pool: ScriptedPool, settings: Settings) -> WorkerParts:
    """Connect the parts of a worker; its children are scripted."""
    world = process.world
    background = Background(process.stopping)
    gate = ClaimGate({"the blob store": partial(world.blobs.check, process.name)})
    children = cast(ChildPool, pool)
    runner = Runner(settings, process.network, world.blobs, children, gate, process.clock, process.chances)
    expander = Expander(settings, process.network, world.blobs, world.log, background, process.clock)
    checkpoints = Checkpoints(world.blobs, "cluster", CHECKPOINT_FOLDER)
    uses = UploadUses(world.blobs, world.log, settings.partitions, lambda job_id: reader.knows(job_id))
    eraser = Eraser(world.blobs, runner.await_exit, uses, process.chances)
    letters = dead_letters_of(process)
    reader = PartitionReader(runner, expander, checkpoints, world.log, letters, eraser, process.clock)
    return WorkerParts(background, gate, runner, expander, eraser, reader)


def projector_readers(process: Process, settings: Settings) -> tuple[ProjectorTopicReader, ProjectorTopicReader]:
    """Connect the readers of jobs and of deliveries of a projector (services.projector.app)."""
    world = process.world
    writers = (
        JobWriter(world.blobs, Outage("the blob store", process.stopping), settings.partitions),
        DeliveryWriter(),
    )
    letters = dead_letters_of(process)
    jobs, deliveries = (
        ProjectorTopicReader(writer, Session("", process.stopping), world.log, letters) for writer in writers
    )
    return jobs, deliveries


@dataclass(frozen=True, slots=True)
class NotifierParts:
    """The parts of a notifier (services.notifier.assembly)."""

    jobs: JobEventsReader
    deliveries: DeliveriesReader
    endpoints: EndpointEventsReader
    gate: DeliveriesGate
    queue: HookQueue
    dispatcher: Dispatcher[ClaimedHook, HookOutcome]
    ledger: Ledger[HookOutcome]
    notices: NoticeQueue
    notice_dispatcher: Dispatcher[ClaimedNotice, NoticeOutcome]
    notice_ledger: Ledger[NoticeOutcome]
    relay: Relay
    sweep: Sweep


class _NoKeys:
    """Signing keys of owners that have none."""

    async def of(self, owner: str) -> list[SigningKey]:
        return []


def notifier_parts(process: Process, settings: Settings, sender: Any) -> NotifierParts:
    """Connect the parts of a notifier; `sender` posts to simulated receivers."""
    world, server = process.world, PostgresServer()
    pool = cast(Any, ModelPool(world.postgres, server.meet))
    wakeup, notice_wakeup, written = Wakeup(), Wakeup(), asyncio.Event()
    composer = Composer(world.blobs, Seal({"simulated": bytes(32)}), cast(SigningKeyCache, _NoKeys()), process.clock)
    queue = HookQueue(pool, settings.instance)
    ledger: Ledger[HookOutcome] = Ledger(queue, wakeup, written)
    courier = HookCourier(settings, composer, cast(Sender, sender), process.clock, process.chances)
    notices = NoticeQueue(pool, settings.instance)
    notice_ledger: Ledger[NoticeOutcome] = Ledger(notices, notice_wakeup, written)
    notice_courier = NoticeCourier(settings, composer, cast(Sender, sender), process.clock, process.chances)
    jobs, deliveries, endpoints = (
        TopicCheckpoints(pool, world.log, topic, "memory") for topic in (JOB_EVENTS, JOB_DELIVERIES, ENDPOINT_EVENTS)
    )
    context = ReaderContext(pool, dead_letters_of(process), process.stopping, server)
    age_s = settings.delivery_max_age_s
    unroutable = Unroutable(pool, world.log, jobs, written, process.clock)
    backfill = Backfill(world.log, jobs, age_s, process.clock)
    gate = DeliveriesGate(world.log, deliveries, Outage("Postgres", process.stopping), server)
    return NotifierParts(
        jobs=JobEventsReader(context, jobs, world.blobs, wakeup, notice_wakeup, age_s, process.clock),
        deliveries=DeliveriesReader(context, deliveries, wakeup),
        endpoints=EndpointEventsReader(context, endpoints, backfill, world.blobs, notice_wakeup, process.clock),
        gate=gate,
        queue=queue,
        dispatcher=Dispatcher(settings, queue, ledger, courier, wakeup, gate, LEASE_MARGIN_S),
        ledger=ledger,
        notices=notices,
        notice_dispatcher=Dispatcher(
            settings, notices, notice_ledger, notice_courier, notice_wakeup, gate, LEASE_MARGIN_S
        ),
        notice_ledger=notice_ledger,
        relay=Relay(pool, process.network, written, Background(process.stopping)),
        sweep=Sweep(
            pool,
            queue,
            notices,
            unroutable,
            patience_s(settings.delivery_delays),
            written,
            Background(process.stopping),
            process.clock,
        ),
    )
