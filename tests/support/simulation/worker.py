"""A simulated worker: the real process manager over scripted children."""

import asyncio
from typing import TYPE_CHECKING

from schemas.topics import JOB_EVENTS
from services.worker.checkpoints.saving import save_periodically
from tests.support.simulation.group import Consumer
from tests.support.simulation.process import Process
from tests.support.simulation.product import CHECKPOINT_FOLDER, settings_of, worker_parts
from tests.support.simulation.scripted_pool import ScriptedPool

if TYPE_CHECKING:
    from tests.support.simulation.world import World

CHECKPOINTS = f"checkpoints/{CHECKPOINT_FOLDER}"


class SimulatedWorker(Process):
    """One worker process (services.worker.app)."""

    def __init__(self, name: str, world: "World", lag_s: float, instance: str = "") -> None:
        super().__init__(name, world, lag_s, instance)
        self.settings = settings_of(self)
        self.pool = ScriptedPool(world.stage, world.slots, world.blobs, self._may_begin)
        self.parts = worker_parts(self, self.pool, self.settings)
        self.runner, self.reader, self.eraser = self.parts.runner, self.parts.reader, self.parts.eraser
        self.gate, self.background = self.parts.gate, self.parts.background
        self.runner.may_claim = lambda: self.in_group
        self.consumer = Consumer(self, world.group("worker"), JOB_EVENTS, self.reader, self._check_accounts)

    @property
    def positions(self) -> dict[int, int]:
        """The next offset of each partition that it believes to have."""
        return self.consumer.positions

    @property
    def handled(self) -> int:
        """The number of records that it was handed."""
        return self.consumer.handled

    async def live(self) -> None:
        """See Process.live."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._drain())
            tasks.create_task(self.consumer.run())
            tasks.create_task(self.gate.run(self.stopping))
            tasks.create_task(self.runner.run(self.stopping))
            tasks.create_task(self.eraser.run(self.stopping))
            saving = save_periodically(self.reader.save_checkpoints, self.settings.checkpoint_interval_s, self.stopping)
            tasks.create_task(saving)

    async def _drain(self) -> None:
        await self.stopping.wait()
        self.reader.draining = True

    def on_death(self) -> None:
        """Its children die with it."""
        self.pool.running.clear()

    # --- what is checked while it goes on ------------------------------------------------------------------------

    def _check_accounts(self) -> None:
        assert self.reader.unaccounted() == [], f"{self.name} neither runs nor offers open jobs"

    def _may_begin(self, job_id: str) -> None:
        """A worker that has read the end of a job must never run it again."""
        end = self.world.ends.get(job_id)
        if end is not None:
            assert self.positions.get(end.partition, 0) <= end.offset, (
                f"{self.name} runs {job_id}, which it knows ended"
            )
