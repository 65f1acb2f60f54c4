"""A simulated notifier: the real readers, queue, dispatcher, ledger, relay and sweep over the model of Postgres."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from piperoll.clock import happens_within
from piperoll.webhooks.attempts import Attempted
from schemas.topics import ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS
from services.notifier.delivery.dispatcher import Dispatcher
from services.notifier.delivery.leasing import Leasing
from services.notifier.outbox import TRANSIENT
from tests.support.simulation.group import Consumer
from tests.support.simulation.process import Process
from tests.support.simulation.product import notifier_parts, settings_of

if TYPE_CHECKING:
    from tests.support.simulation.world import World

SWEEP_S = 5.0


class SimulatedNotifier(Process):
    """One notifier process (services.notifier.app), for the jobs' own webhooks and for registered endpoints."""

    def __init__(self, name: str, world: "World", lag_s: float, instance: str = "") -> None:
        super().__init__(name, world, lag_s, instance)
        self.parts = parts = notifier_parts(self, settings_of(self), self)
        self.consumers = [
            Consumer(self, world.group(group), topic, reader, confirm=reader.confirm)
            for group, topic, reader in (
                ("notifier", JOB_EVENTS, parts.jobs),
                ("notifier.deliveries", JOB_DELIVERIES, parts.deliveries),
                ("notifier.endpoints", ENDPOINT_EVENTS, parts.endpoints),
            )
        ]

    async def live(self) -> None:
        """See Process.live."""
        drained = asyncio.Event()
        async with asyncio.TaskGroup() as behind:
            writing = [behind.create_task(one.run()) for one in (self.parts.ledger, self.parts.notice_ledger)]
            behind.create_task(self.parts.relay.run(drained))
            async with asyncio.TaskGroup() as front:
                for consumer in self.consumers:
                    front.create_task(consumer.run())
                front.create_task(self._dispatch())
            for task in writing:
                task.cancel()
            drained.set()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Attempted:
        """Post to a simulated receiver (piperoll.webhooks.sender.Sender)."""
        return await self.world.receivers.post(url, headers, body, timeout_s, self.chances)

    def on_death(self) -> None:
        """Its sessions end."""
        self.world.postgres.disconnect(self)

    async def _dispatch(self) -> None:
        await self.parts.gate.wait(self.stopping)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send(self.parts.queue, self.parts.dispatcher))
            tasks.create_task(self._send(self.parts.notices, self.parts.notice_dispatcher))
            tasks.create_task(self._sweep())

    async def _send(self, queue: Leasing, dispatcher: Dispatcher[Any, Any]) -> None:
        while not self.stopping.is_set():
            try:
                await queue.release()
                break
            except TRANSIENT:
                await happens_within(self.stopping, 1.0)
        await dispatcher.run(self.stopping)

    async def _sweep(self) -> None:
        sweep = self.parts.sweep
        chores = (
            sweep.hold_late,
            sweep.give_up,
            sweep.give_up_notices,
            sweep.withdraw_ended,
            sweep.forget_unfollowed,
            sweep.unroutable.abandon,
        )
        while not self.stopping.is_set():
            for chore in chores:
                try:
                    await chore()
                except TRANSIENT:
                    continue
            await happens_within(self.stopping, SWEEP_S)
