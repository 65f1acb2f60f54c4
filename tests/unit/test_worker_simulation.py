"""The worker as a process manager, through crashes, zombies, handovers and repeats: real parts, virtual time.

Each seed is one course of events, the same in every run. What must hold in all of them is judged by the history
checker (piperoll.history) over the whole log, and by the workers' own children, which refuse to run what is over.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest
from pydantic_core import to_json

from piperoll.domain.job import Status
from schemas.envelope import Fact
from schemas.events import BatchCreated, Event, JobCancelled, JobCreated, JobErased
from schemas.ids import event_id, member_id
from tests.support.histories import claim
from tests.support.scripted_pool import Script
from tests.support.simulation import CHECKPOINTS, SimulatedWorker, World
from tests.support.virtual_time import VirtualLoop, run_virtually

SEEDS = range(20)
HOUR_S = 3600.0
Story = Callable[[World], Awaitable[None]]


def simulate(story: Story, seed: int = 1, partitions: int = 4, slots: int = 2) -> World:
    """The world after a story, its blobs closed and nobody left at work."""
    loop = VirtualLoop()
    world = World(loop, seed, partitions, slots)
    run_virtually(story(world), loop)
    world.blobs.close()
    return world


def fact(world: World, subject: str, data: Event) -> Fact:
    return Fact(
        id=event_id(subject, type(data).__name__),
        subject=subject,
        owner=f"owner-{hash_of(subject) % 3}",
        time=world.loop.clock(),
        source="api",
        data=data,
    )


def hash_of(text: str) -> int:
    return sum(text.encode())


def creation(batch_id: str | None = None) -> JobCreated:
    return JobCreated(job_type="noop", parameters=claim("in"), body_sha256="0" * 64, batch_id=batch_id)


async def create(world: World, job_id: str, script: Script | None = None) -> str:
    world.stage.scripts[job_id] = script or Script()
    await world.append(fact(world, job_id, creation()))
    return job_id


async def create_batch(world: World, batch_id: str, count: int) -> list[str]:
    spec = {"job_type": "noop", "parameters": {}, "body_sha256": "0" * 64, "priority": 5}
    spec |= {"timeout_s": 60, "max_attempts": 3, "has_webhook": False}
    specs = await world.blobs.put(f"{batch_id}/in", to_json([spec] * count))
    await world.append(fact(world, batch_id, BatchCreated(count=count, specs=specs, body_sha256="0" * 64)))
    return [member_id(batch_id, index) for index in range(count)]


def accounted(world: World, acknowledged: list[str]) -> None:
    """What must hold at the end of every story."""
    assert [worker.failure for worker in world.workers.values() if worker.failure] == []
    assert world.history.violations() == []
    assert world.history.unsettled(acknowledged) == []
    for job in world.history.jobs.values():
        assert job.retries < job.max_attempts
        assert job.losses <= 11
    for worker in world.workers.values():
        assert worker.pool.running == {}
        assert worker.pool.most <= world.slots


# --- any course of events ------------------------------------------------------------------------------------------


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
            await self.say(job_id, JobCancelled(by="somebody"))
            self.cancelled_first.append(job_id)
        self.acknowledged.append(job_id)
        await self.say(job_id, creation())
        if dice > 0.8:
            self.later(job_id, creation())
        if dice > 0.9:
            self.later(job_id, JobErased(by="somebody") if dice > 0.97 else JobCancelled(by="somebody"))

    async def say(self, job_id: str, data: Event) -> None:
        await self.world.append(fact(self.world, job_id, data), gap_before=self.chances.random() < 0.2)

    def later(self, job_id: str, data: Event) -> None:
        delay_s = self.chances.choice([0.0, 0.3, 2.0, 30.0, 120.0])
        self.world.loop.call_later(delay_s, lambda: self.world.loop.create_task(self.say(job_id, data)))

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
        """Somebody restores the state of a while ago, of one partition."""
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
        await asyncio.sleep(130.0)  # the last repeats and cancellations are said by then
        await self.world.settle(4 * HOUR_S)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_every_job_ends_once_and_none_is_lost(seed: int) -> None:
    world, storm = weather(seed)
    accounted(world, storm.acknowledged)
    for job_id in storm.cancelled_first:
        assert world.history.jobs[job_id].status is Status.CANCELLED
        assert world.stage.runs_of(job_id) == []


def weather(seed: int) -> tuple[World, Storm]:
    storms: list[Storm] = []

    async def story(world: World) -> None:
        storms.append(Storm(world, seed))
        await storms[0].rage()

    return simulate(story, seed), storms[0]


def test_the_same_seed_is_the_same_course_of_events() -> None:
    def course(world: World) -> list[tuple[str, str, float]]:
        return [(name, job.status, job.updated_at.timestamp()) for name, job in sorted(world.history.jobs.items())]

    assert course(weather(3)[0]) == course(weather(3)[0])
