"""The notifier's composition root: two readers, a dispatcher behind its gate, a ledger, a relay, a sweep."""

import asyncio
from contextlib import AsyncExitStack

import asyncpg

from piperoll.blobs import AsyncBlobs, Blobs
from piperoll.log.admin import require_topics
from piperoll.log.consumer import PartitionConsumer
from piperoll.log.contract import Reader
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
from services.notifier.checkpoints import Checkpoints
from services.notifier.composer import Composer
from services.notifier.dispatcher import Dispatcher
from services.notifier.ledger import Ledger
from services.notifier.queue import Queue
from services.notifier.relay import Relay
from services.notifier.retry import patience_s
from services.notifier.sender import Sender
from services.notifier.sweep import Sweep

POOL_SIZE = 8  # the relay keeps one; intake, deliveries, claims, outcomes and sweep take one at a time each


async def main(settings: Settings, lifetime: Lifetime) -> None:
    """Runs until told to stop: no new claims, what is in flight ends, outcomes are written and relayed."""
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
        lifetime.check("producer", appender.problem)
        await _work(settings, lifetime, pool, view, appender, owned)


async def _work(
    settings: Settings,
    lifetime: Lifetime,
    pool: asyncpg.Pool,
    view: KafkaOffsets,
    appender: KafkaAppender,
    owned: AsyncExitStack,
) -> None:
    """Wires the parts together and runs them: readers and dispatcher first to stop, then ledger and relay."""
    agenda, wake, written, drained = Agenda(), asyncio.Event(), asyncio.Event(), asyncio.Event()
    stopping = lifetime.stopping
    blobs = AsyncBlobs(Blobs(settings.blob_url))
    owned.callback(blobs.close)
    sender = Sender(settings.private_networks)
    owned.push_async_callback(sender.close)
    queue = Queue(pool)
    ledger = Ledger(queue, agenda, wake, written)
    composer = Composer(blobs, Seal(settings.sealing_keys), settings.public_url)
    dispatcher = Dispatcher(settings, queue, ledger, composer, sender, agenda, wake)
    cluster_id, dead_letters = await view.cluster_id(), DeadLetters(appender)
    deliveries = Checkpoints(pool, view, JOB_DELIVERIES, cluster_id)
    job_events = Checkpoints(pool, view, JOB_EVENTS, cluster_id)
    reader = intake.Intake(pool, job_events, blobs, dead_letters, agenda, wake, stopping, settings.delivery_max_age_s)
    readers = (
        _consumer(settings, lifetime, intake.GROUP, JOB_EVENTS, reader),
        _consumer(
            settings,
            lifetime,
            settled.GROUP,
            JOB_DELIVERIES,
            settled.Settled(pool, deliveries, dead_letters, stopping),
        ),
    )
    gate = settled.Gate(view, deliveries)
    sweep = Sweep(pool, queue, patience_s(settings.delivery_delays), written)
    lifetime.check("gate", gate.problem)
    lifetime.check("dispatcher", dispatcher.problem)

    async def dispatch() -> None:
        await gate.wait(stopping)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(dispatcher.run(stopping))
            tasks.create_task(sweep.run(stopping))

    async with asyncio.TaskGroup() as behind:
        writing = behind.create_task(ledger.run())
        behind.create_task(Relay(pool, appender, written).run(drained))
        async with asyncio.TaskGroup() as front:
            for one in readers:
                front.create_task(one.run(stopping))
            front.create_task(dispatch())
        writing.cancel()
        drained.set()
        written.set()


def _consumer(settings: Settings, lifetime: Lifetime, group: str, topic: Topic, reader: Reader) -> PartitionConsumer:
    """A consumer that says when it is not ready and how far it is behind."""

    def on_lag(partition: int, records: int) -> None:
        metrics.LAG.labels(topic.name, str(partition)).set(records)

    consumer = PartitionConsumer(settings, group, topic, reader, on_lag=on_lag)
    lifetime.check(group, consumer.problem)
    return consumer
