"""The notifier's composition root: two readers, a dispatcher behind its gate, a ledger, a relay, a sweep."""

import asyncio
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg

from piperoll.blobs import AsyncBlobs, Blobs
from piperoll.log.admin import require_topics
from piperoll.log.consumer import PartitionConsumer
from piperoll.log.contract import Appender, Reader
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.postgres import connect_pool, migrate
from piperoll.runtime import Lifetime
from piperoll.seal import Seal
from piperoll.settings import Settings
from schemas.topics import JOB_DELIVERIES, JOB_EVENTS, Topic
from services.notifier import intake, metrics, settled
from services.notifier.agenda import Agenda
from services.notifier.checkpoints import Checkpoints, LogView
from services.notifier.composer import Composer
from services.notifier.dispatcher import Dispatcher
from services.notifier.guard import Lookup
from services.notifier.intake import Intake
from services.notifier.ledger import Ledger
from services.notifier.patience import until_done
from services.notifier.queue import Queue
from services.notifier.relay import Relay
from services.notifier.retry import patience_s
from services.notifier.sender import Sender
from services.notifier.settled import Gate, Settled
from services.notifier.sweep import Sweep

POOL_SIZE = 8  # the relay keeps one; the readers, claims, outcomes and the sweep take one at a time each


@dataclass(frozen=True, slots=True)
class Log:
    """The log as the notifier uses it."""

    view: LogView
    appender: Appender
    dead_letters: DeadLetters
    cluster_id: str


@dataclass(frozen=True, slots=True)
class Notifier:
    """The parts, wired together."""

    intake: Intake
    settled: Settled
    gate: Gate
    dispatcher: Dispatcher
    sweep: Sweep
    ledger: Ledger
    relay: Relay
    queue: Queue
    written: asyncio.Event

    async def run(self, consumers: tuple[PartitionConsumer, ...], stopping: asyncio.Event) -> None:
        """Runs until `stopping` is set: no new claims, what is in flight ends, outcomes are written and relayed."""
        drained = asyncio.Event()
        async with asyncio.TaskGroup() as behind:
            writing = behind.create_task(self.ledger.run())
            behind.create_task(self.relay.run(drained))
            async with asyncio.TaskGroup() as front:
                for consumer in consumers:
                    front.create_task(consumer.run(stopping))
                front.create_task(self._dispatch(stopping))
            writing.cancel()
            drained.set()
            self.written.set()

    async def _dispatch(self, stopping: asyncio.Event) -> None:
        await self.gate.wait(stopping)
        await until_done("released leases", self.queue.release, stopping)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.dispatcher.run(stopping))
            tasks.create_task(self.sweep.run(stopping))


def assemble(
    settings: Settings,
    pool: asyncpg.Pool,
    log: Log,
    stopping: asyncio.Event,
    owned: AsyncExitStack,
    lookup: Lookup = socket.getaddrinfo,
) -> Notifier:
    """Wires the parts. What has to be closed goes to `owned`; `lookup` resolves receivers' names."""
    agenda, wake, written = Agenda(), asyncio.Event(), asyncio.Event()
    blobs = AsyncBlobs(Blobs(settings.blob_url))
    owned.callback(blobs.close)
    sender = Sender(settings.private_networks, lookup)
    owned.push_async_callback(sender.close)
    queue = Queue(pool, settings.instance)
    ledger = Ledger(queue, agenda, wake, written)
    composer = Composer(blobs, Seal(settings.sealing_keys), settings.public_url)
    job_events = Checkpoints(pool, log.view, JOB_EVENTS, log.cluster_id)
    deliveries = Checkpoints(pool, log.view, JOB_DELIVERIES, log.cluster_id)
    max_age_s = settings.delivery_max_age_s
    return Notifier(
        intake=Intake(pool, job_events, blobs, log.dead_letters, agenda, wake, stopping, max_age_s),
        settled=Settled(pool, deliveries, log.dead_letters, stopping),
        gate=Gate(log.view, deliveries),
        dispatcher=Dispatcher(settings, queue, ledger, composer, sender, agenda, wake),
        sweep=Sweep(pool, queue, patience_s(settings.delivery_delays), written),
        ledger=ledger,
        relay=Relay(pool, log.appender, written),
        queue=queue,
        written=written,
    )


async def main(settings: Settings, lifetime: Lifetime) -> None:
    """Connects, assembles and runs until told to stop."""
    await require_topics(settings)
    async with AsyncExitStack() as owned:
        pool = await connect_pool(settings.postgres_dsn.get_secret_value(), max_size=POOL_SIZE)
        owned.push_async_callback(pool.close)
        await migrate(pool, "services.notifier", "notifier.sql")
        view = KafkaOffsets(settings)
        await view.start()
        owned.push_async_callback(view.stop)
        appender = KafkaAppender(settings, f"{settings.instance}-notifier")
        await appender.start()
        owned.push_async_callback(appender.stop)
        log = Log(view, appender, DeadLetters(appender), await view.cluster_id())
        notifier = assemble(settings, pool, log, lifetime.stopping, owned)
        lifetime.check("producer", appender.problem)
        lifetime.check("gate", notifier.gate.problem)
        lifetime.check("dispatcher", notifier.dispatcher.problem)
        consumers = (
            _consumer(settings, lifetime, intake.GROUP, JOB_EVENTS, notifier.intake),
            _consumer(settings, lifetime, settled.GROUP, JOB_DELIVERIES, notifier.settled),
        )
        await notifier.run(consumers, lifetime.stopping)


def _consumer(settings: Settings, lifetime: Lifetime, group: str, topic: Topic, reader: Reader) -> PartitionConsumer:
    """A consumer that says when it is not ready and how far it is behind."""

    def on_lag(partition: int, records: int) -> None:
        metrics.LAG.labels(topic.name, str(partition)).set(records)

    consumer = PartitionConsumer(settings, group, topic, reader, on_lag=on_lag)
    lifetime.check(group, consumer.problem)
    return consumer
