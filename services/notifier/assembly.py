"""The parts of the notifier, connected: readers, dispatchers with a ledger each, a relay, and a sweep."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Generic

import asyncpg

from piperoll.background import Background
from piperoll.clock import Clock, utc_now
from piperoll.log.contract import Appender, LogView
from piperoll.log.dead_letters import DeadLetters
from piperoll.outages import Outage
from piperoll.seal import Seal
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs
from piperoll.webhooks.guard import Lookup
from piperoll.webhooks.sender import Sender
from schemas.topics import ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS
from services.notifier.checkpoints import TopicCheckpoints
from services.notifier.delivery.composer import Composer
from services.notifier.delivery.dispatcher import Dispatcher, OutcomeT, RowT
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


@dataclass(frozen=True, slots=True)
class Log:
    """The clients of the log."""

    view: LogView
    appender: Appender
    dead_letters: DeadLetters
    cluster_id: str
    clock: Clock = utc_now


@dataclass(frozen=True, slots=True)
class Delivery(Generic[RowT, OutcomeT]):
    """The dispatcher and ledger of one queue: the jobs' own webhooks, or the notices of registered endpoints."""

    dispatcher: Dispatcher[RowT, OutcomeT]
    ledger: Ledger[OutcomeT]
    release: Callable[[], Awaitable[None]]

    async def run(self, stopping: asyncio.Event) -> None:
        """Send until `stopping` is set, then let attempts in flight end."""
        await self.release()
        await self.dispatcher.run(stopping)


@dataclass(frozen=True, slots=True)
class Notifier:
    """The parts of the notifier, connected."""

    job_events: JobEventsReader
    deliveries: DeliveriesReader
    endpoint_events: EndpointEventsReader
    gate: DeliveriesGate
    hooks: Delivery[ClaimedHook, HookOutcome]
    notices: Delivery[ClaimedNotice, NoticeOutcome]
    sweep: Sweep
    relay: Relay
    signing_keys: SigningKeyCache
    outage: Outage
    background: Background
    written: asyncio.Event

    async def run(self, consumers: Mapping[str, Coroutine[None, None, None]], stopping: asyncio.Event) -> None:
        """Run until `stopping` is set: then attempts in flight end, and outcomes are written and relayed."""
        drained = asyncio.Event()
        async with asyncio.TaskGroup() as behind:
            writing = [behind.create_task(one.ledger.run()) for one in (self.hooks, self.notices)]
            behind.create_task(self.relay.run(drained))
            async with asyncio.TaskGroup() as front:
                for name, consumer in consumers.items():
                    front.create_task(self.background.loop(name, consumer))
                front.create_task(self.background.loop("dispatching", self._dispatch(stopping)))
                following = self.signing_keys.follow(stopping)
                front.create_task(self.background.loop("following the changes of signing keys", following))
            for task in writing:
                task.cancel()
            drained.set()
            self.written.set()

    async def _dispatch(self, stopping: asyncio.Event) -> None:
        await self.gate.wait(stopping)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.hooks.run(stopping))
            tasks.create_task(self.notices.run(stopping))
            tasks.create_task(self.sweep.run(stopping))


def assemble(
    settings: Settings,
    pool: asyncpg.Pool,
    clients: Log,
    background: Background,
    stopping: asyncio.Event,
    owned: AsyncExitStack,
    blobs: AsyncBlobs,
    server: PostgresServer,
    lookup: Lookup = socket.getaddrinfo,
) -> Notifier:
    """Connect the parts. `owned` closes them; `server` meets the pool's; `lookup` resolves receivers' names."""
    wakeup, notice_wakeup, written = Wakeup(), Wakeup(), asyncio.Event()
    sender = Sender(settings.private_networks, lookup, clock=clients.clock)
    owned.push_async_callback(sender.close)
    seal = Seal(settings.sealing_keys)
    signing_keys = SigningKeyCache(pool, seal, clients.clock)
    composer = Composer(blobs, seal, signing_keys, clients.clock)
    queue, notices = HookQueue(pool, settings.instance), NoticeQueue(pool, settings.instance)
    courier, notice_courier = (
        HookCourier(settings, composer, sender, clients.clock),
        NoticeCourier(settings, composer, sender, clients.clock),
    )
    ledger, notice_ledger = Ledger(queue, wakeup, written), Ledger(notices, notice_wakeup, written)
    job_events, deliveries, endpoint_events = (
        TopicCheckpoints(pool, clients.view, topic, clients.cluster_id)
        for topic in (JOB_EVENTS, JOB_DELIVERIES, ENDPOINT_EVENTS)
    )
    max_age_s = settings.delivery_max_age_s
    outage = Outage("Postgres", stopping)
    context = ReaderContext(pool, clients.dead_letters, stopping, server)
    unroutable = Unroutable(pool, clients.view, job_events, written, clients.clock)
    backfill = Backfill(clients.view, job_events, max_age_s, clients.clock)
    gate = DeliveriesGate(clients.view, deliveries, outage, server)
    return Notifier(
        job_events=JobEventsReader(context, job_events, blobs, wakeup, notice_wakeup, max_age_s, clients.clock),
        deliveries=DeliveriesReader(context, deliveries, wakeup),
        endpoint_events=EndpointEventsReader(context, endpoint_events, backfill, blobs, notice_wakeup, clients.clock),
        gate=gate,
        hooks=Delivery(
            Dispatcher(settings, queue, ledger, courier, wakeup, gate), ledger, partial(outage.outlast, queue.release)
        ),
        notices=Delivery(
            Dispatcher(settings, notices, notice_ledger, notice_courier, notice_wakeup, gate),
            notice_ledger,
            partial(outage.outlast, notices.release),
        ),
        sweep=Sweep(
            pool, queue, notices, unroutable, patience_s(settings.delivery_delays), written, background, clients.clock
        ),
        relay=Relay(pool, clients.appender, written, background),
        signing_keys=signing_keys,
        outage=outage,
        background=background,
        written=written,
    )
