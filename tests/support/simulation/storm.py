"""Everything that can go wrong around a few workers, drawn from a seed."""

import asyncio
import random

from schemas.events import Event, JobCancelled, JobErased
from tests.support.simulation.clients import create_batch, creation, fact
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import CHECKPOINTS, SimulatedWorker, World

HOUR_S = 3600.0


class Storm:
    """Clients who repeat and cancel, and workers that crash, hang, go deaf, drain and come back; then calm."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chances = random.Random(seed * 7919)
        self.acknowledged: list[str] = []
        self.cancelled_first: list[str] = []
        self.count = 0

    async def rage(self, seconds: float = 400.0) -> None:
        for _ in range(3):
            self.start()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.clients(seconds))
            tasks.create_task(self.faults(seconds))
        await self.calm_down()

    def start(self) -> None:
        self.count += 1
        self.world.start_worker(f"worker-{self.count}", lag_s=self.chances.choice([0.01, 0.2, 3.0]))

    def living(self) -> list[SimulatedWorker]:
        return [worker for worker in self.world.workers.values() if not worker.main.done()]

    # --- clients -----------------------------------------------------------------------------------------------------

    async def clients(self, seconds: float) -> None:
        end = self.world.loop.time() + seconds
        number = 0
        while self.world.loop.time() < end:
            number += 1
            await self.one_client(number)
            await asyncio.sleep(self.chances.expovariate(1 / 5))

    async def one_client(self, number: int) -> None:
        job_id, dice = f"job-{number}", self.chances.random()
        seconds = self.chances.choice([0.0, 1.0, 5.0, 20.0, 40.0])
        self.world.stage.scripts[job_id] = Script(
            seconds, failures=self.chances.choice([0, 0, 0, 1, 2, 3]), fatal=self.chances.random() < 0.1
        )
        if dice < 0.1:
            self.acknowledged += await create_batch(self.world, f"batch-{number}", self.chances.randint(1, 12))
            return
        if dice < 0.2:
            await self.append(job_id, JobCancelled(by="user-1"))
            self.cancelled_first.append(job_id)
        self.acknowledged.append(job_id)
        await self.append(job_id, creation())
        if dice > 0.8:
            self.later(job_id, creation())
        if dice > 0.9:
            self.later(job_id, JobErased(by="user-1") if dice > 0.97 else JobCancelled(by="user-1"))

    async def append(self, job_id: str, data: Event) -> None:
        await self.world.append(fact(self.world, job_id, data), gap_before=self.chances.random() < 0.2)

    def later(self, job_id: str, data: Event) -> None:
        delay_s = self.chances.choice([0.0, 0.3, 2.0, 30.0, 120.0])
        self.world.loop.call_later(delay_s, lambda: self.world.loop.create_task(self.append(job_id, data)))

    # --- faults ------------------------------------------------------------------------------------------------------

    async def faults(self, seconds: float) -> None:
        end = self.world.loop.time() + seconds
        kinds = [self.crash, self.cut_off, self.deafen, self.replace, self.lose_checkpoint, self.revive_checkpoint]
        while self.world.loop.time() < end:
            await asyncio.sleep(self.chances.expovariate(1 / 15))
            if living := self.living():
                await self.chances.choice(kinds)(self.chances.choice(living))
            if len(self.living()) < 3 and self.chances.random() < 0.7:
                self.start()

    async def crash(self, worker: SimulatedWorker) -> None:
        worker.crash()

    async def cut_off(self, worker: SimulatedWorker) -> None:
        """No way to the log for a while, maybe longer than the group has patience; its children go on."""
        worker.online.clear()
        away_s = self.chances.uniform(1, 40)
        self.world.loop.call_later(away_s, worker.online.set)
        if away_s > 10:
            self.world.loop.call_later(10, worker.leave_group)
            self.world.loop.call_later(away_s + 1, self.rejoin, worker)

    def rejoin(self, worker: SimulatedWorker) -> None:
        if not worker.main.done():
            worker.in_group = True
            self.world.deal()

    async def deafen(self, worker: SimulatedWorker) -> None:
        """A zombie: its partitions go to others, and it reads, runs and writes as if they had not."""
        worker.deaf_until = self.world.loop.time() + self.chances.uniform(1, 60)
        worker.leave_group()
        self.world.loop.call_later(self.chances.uniform(1, 60), self.rejoin, worker)

    async def replace(self, worker: SimulatedWorker) -> None:
        """A rolling restart: it gives everything back, and a new one comes."""
        await worker.drain()
        self.start()

    async def lose_checkpoint(self, _: SimulatedWorker) -> None:
        await self.world.blobs.delete_folder(CHECKPOINTS)

    async def revive_checkpoint(self, _: SimulatedWorker) -> None:
        """Restores an earlier state, of one partition."""
        name = f"{CHECKPOINTS}/{self.chances.randrange(self.world.partitions)}"
        if name.rsplit("/", 1)[1] in {"0", "1", "2", "3"}:
            content = await self.old_content(name)
            if content is not None:
                self.world.loop.call_later(
                    self.chances.uniform(10, 120), lambda: self.world.blobs.sync.replace(name, content)
                )

    async def old_content(self, name: str) -> bytes | None:
        try:
            return await self.world.blobs.get(name)
        except LookupError:
            return None

    async def calm_down(self) -> None:
        """Nothing fails any more: what is open must end by itself."""
        for worker in self.living():
            worker.online.set()
            worker.deaf_until = 0.0
            worker.in_group = True
        self.start()
        await asyncio.sleep(130.0)  # the last repeats and cancellations are appended by then
        await self.world.settle(4 * HOUR_S)
