"""A simulated projector: the real readers and writers over the model of Postgres."""

import asyncio
from typing import TYPE_CHECKING

from schemas.topics import JOB_DELIVERIES, JOB_EVENTS
from tests.support.simulation.group import Consumer
from tests.support.simulation.process import Process
from tests.support.simulation.product import projector_readers, settings_of

if TYPE_CHECKING:
    from tests.support.simulation.world import World


class SimulatedProjector(Process):
    """One projector process (services.projector.app) without the topics of documents and endpoints."""

    def __init__(self, name: str, world: "World", lag_s: float, instance: str = "") -> None:
        super().__init__(name, world, lag_s, instance)
        jobs, deliveries = projector_readers(self, settings_of(self))
        self.consumers = (
            Consumer(self, world.group("projector"), JOB_EVENTS, jobs, confirm=jobs.confirm),
            Consumer(self, world.group("projector.deliveries"), JOB_DELIVERIES, deliveries, confirm=deliveries.confirm),
        )

    async def live(self) -> None:
        """See Process.live."""
        async with asyncio.TaskGroup() as tasks:
            for consumer in self.consumers:
                tasks.create_task(consumer.run())

    def on_death(self) -> None:
        """Its sessions end."""
        self.world.postgres.disconnect(self)
