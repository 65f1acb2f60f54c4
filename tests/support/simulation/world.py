"""Several workers over one log in virtual time, with whatever can go wrong between them.

The workers are the real parts (log reader, backlog, runner, journal, expander, checkpoints) over a log and blobs in
memory; simulated are the children, the consumer group that deals out partitions, and the network to the log.
"""

import asyncio
import contextvars
import random
from collections.abc import Coroutine
from typing import Any, cast

from piperoll.history import History
from piperoll.log.backlog_checkpoint import Checkpoints
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.producer import KafkaAppender
from piperoll.log.record import Position, Record, partition_of
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.envelope import Fact, Headers, UndecodableRecordError, encode
from schemas.topics import JOB_EVENTS, Topic
from services.worker.children.pool import ChildPool
from services.worker.cleanup.erasure import Eraser
from services.worker.manager.batch_expander import Expander
from services.worker.manager.log_reader import PartitionReader, save_periodically
from services.worker.manager.runner import Runner
from tests.support.memory_log import MemoryLog
from tests.support.simulation.scripted_pool import ScriptedPool, Stage
from tests.support.simulation.virtual_time import VirtualLoop

SESSION_S = 10.0  # a worker that is gone for so long loses its partitions
CHECKPOINTS = "checkpoints/simulation"
MARKER = ("marker", b"")
"""The header of records that no reader is handed, as Kafka's control records: they leave gaps in the offsets."""

_worker: contextvars.ContextVar["SimulatedWorker | None"] = contextvars.ContextVar("worker", default=None)


class World:
    """The log, the blobs, the consumer group, and everything that was seen."""

    def __init__(self, loop: VirtualLoop, seed: int, partitions: int = 4, slots: int = 2) -> None:
        loop.set_task_factory(_task_of_its_worker)
        self.loop = loop
        self.chances = random.Random(seed)
        self.partitions = partitions
        self.slots = slots
        self.log = MemoryLog(partitions, loop.clock)
        self.blobs = AsyncBlobs(Blobs("memory:///"))
        self.stage = Stage()
        self.workers: dict[str, SimulatedWorker] = {}
        self.dealt: dict[int, str] = {}
        self.ends: dict[str, Position] = {}
        self.history = History(partitions)

    def start_worker(self, name: str, lag_s: float = 0.05) -> "SimulatedWorker":
        """Another worker joins, and the partitions are assigned again."""
        worker = SimulatedWorker(name, self, lag_s)
        self.workers[name] = worker
        worker.live()
        self.deal()
        return worker

    def deal(self) -> None:
        """Spreads the partitions over the living workers; most stay where they are (sticky)."""
        names = sorted(name for name, worker in self.workers.items() if worker.in_group)
        if not names:
            return
        fair = -(-self.partitions // len(names))
        load = dict.fromkeys(names, 0)
        for part in range(self.partitions):
            name = self.dealt.get(part, "")
            if load.get(name, fair) >= fair:
                name = min(names, key=lambda one: (load[one], one))
            self.dealt[part] = name
            load[name] += 1

    def dealt_to(self, name: str) -> set[int]:
        """The partitions that the group has given to a worker."""
        return {part for part, owner in self.dealt.items() if owner == name}

    def home_of(self, job_id: str) -> int:
        """The partition of a job."""
        return partition_of(job_id, self.partitions)

    async def append(self, fact: Fact, gap_before: bool = False) -> Position:
        """A client's record, which every worker may read from now on."""
        key, value, headers = encode(fact)
        if gap_before:
            await self.log.append_raw(JOB_EVENTS, key, None, [MARKER])
        return await self.land(key, value, headers)

    async def land(self, key: bytes | None, value: bytes | None, headers: Headers) -> Position:
        """A record reaches the log, where the history checker sees it."""
        position = await self.log.append_raw(JOB_EVENTS, key, value, headers)
        (record,) = await self.log.read_range(
            JOB_EVENTS, {position.partition: position.offset}, {position.partition: position.offset + 1}
        )
        self._observe(record)
        return position

    def _observe(self, record: Record) -> None:
        try:
            fact = record.fact()
        except UndecodableRecordError:
            return
        self.history.observe(fact, record.position)
        job = self.history.jobs.get(fact.subject)
        if job is not None and job.status.terminal:
            self.ends.setdefault(fact.subject, record.position)

    def open_jobs(self) -> list[str]:
        """The jobs that have not ended."""
        return [name for name, job in self.history.jobs.items() if not job.status.terminal]

    def settled(self) -> bool:
        """Whether all is done: every job ended, every batch expanded, no child at work."""
        return not (
            self.open_jobs()
            or any(not batch.expanded for batch in self.history.batches.values())
            or any(worker.pool.running for worker in self.workers.values())
        )

    async def settle(self, limit_s: float) -> None:
        """Lets time pass until all is done, at most `limit_s`; the checker finds what is still open then."""
        end = self.loop.time() + limit_s
        while not self.settled() and self.loop.time() < end:  # noqa: ASYNC110 - virtual time, and no one event
            await asyncio.sleep(1.0)


class SimulatedWorker:
    """One worker process: its parts, its place in the group, and all tasks that end when it dies."""

    def __init__(self, name: str, world: World, lag_s: float) -> None:
        self.name = name
        self.world = world
        self.settings = settings_of(name, world)
        self.tasks: set[asyncio.Task[Any]] = set()
        self.failure: BaseException | None = None
        self.in_group = True
        self.deaf_until = 0.0
        self.online = asyncio.Event()
        self.online.set()
        self.stopping = asyncio.Event()
        self.positions: dict[int, int] = {}
        self.handled = 0
        network = Network(self, lag_s)
        self.pool = ScriptedPool(world.stage, world.slots, self._may_begin)
        self.runner = Runner(
            self.settings, network, world.blobs, cast(ChildPool, self.pool), world.loop.clock, world.chances
        )
        self.runner.may_claim = lambda: self.in_group
        self.expander = Expander(network, world.blobs, world.log, world.loop.clock)
        checkpoints = Checkpoints(world.blobs, "cluster", "simulation")
        letters = DeadLetters(cast(KafkaAppender, network))
        self.eraser = Eraser(world.blobs, self._exited)
        self.reader = PartitionReader(
            self.runner, self.expander, checkpoints, world.log, letters, self.eraser, world.loop.clock
        )

    # --- its life ------------------------------------------------------------------------------------------------

    def live(self) -> None:
        """Starts it."""
        context = contextvars.copy_context()
        context.run(_worker.set, self)
        self.main = context.run(self.world.loop.create_task, self._live())
        self.main.add_done_callback(self._note_failure)

    def crash(self) -> None:
        """It is gone from one moment to the next; what was on its way to the log may still arrive or not."""
        for task in list(self.tasks):
            task.cancel()
        self.pool.running.clear()
        self.world.loop.call_later(SESSION_S, self.leave_group)

    async def drain(self) -> None:
        """Stop the worker in good order."""
        self.stopping.set()
        await asyncio.wait([self.main])
        self.leave_group()

    def leave_group(self) -> None:
        """Its partitions go to others."""
        self.in_group = False
        self.world.deal()

    async def _live(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._drain())
            tasks.create_task(self._consume())
            tasks.create_task(self.runner.run(self.stopping))
            tasks.create_task(self.eraser.run(self.stopping))
            tasks.create_task(save_periodically(self.reader, self.settings.checkpoint_interval_s, self.stopping))

    async def _drain(self) -> None:
        await self.stopping.wait()
        self.reader.draining = True

    def _note_failure(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled():
            self.failure = task.exception()

    # --- what the consumer does (piperoll.log.consumer) --------------------------------------------------------------

    async def _consume(self) -> None:
        while not self.stopping.is_set():
            await self.online.wait()
            await self._take_over()
            for part in list(self.positions):
                await self._read(part)
            await asyncio.sleep(self.world.chances.uniform(0.05, 0.5))
        await self.reader.revoked(set(self.positions))

    async def _take_over(self) -> None:
        if self.world.loop.time() < self.deaf_until:
            return  # it has not heard of the rebalance, and goes on with what it believes to have
        assigned = self.world.dealt_to(self.name)
        gone, new = set(self.positions) - assigned, assigned - set(self.positions)
        if gone:
            await self.reader.revoked(gone)
            self.positions = {part: offset for part, offset in self.positions.items() if part in assigned}
        if new:
            self.positions.update(await self.reader.assigned(new))

    async def _read(self, part: int) -> None:
        log, begin = self.world.log, self.positions[part]
        end = (await log.end_offsets(JOB_EVENTS))[part]
        polled = await log.read_range(JOB_EVENTS, {part: begin}, {part: end}, self.world.chances.randint(1, 60))
        if records := [record for record in polled if MARKER not in record.headers]:
            await self.reader.handle(part, records)
            self.positions[part] = records[-1].offset + 1
            self.handled += len(records)

    # --- what is checked while it goes on ------------------------------------------------------------------------

    def _may_begin(self, job_id: str) -> None:
        """A worker that has read the end of a job must never run it again."""
        end = self.world.ends.get(job_id)
        if end is not None:
            assert self.positions.get(end.partition, 0) <= end.offset, (
                f"{self.name} runs {job_id}, which it knows ended"
            )

    async def _exited(self, job_id: str) -> None:
        await self.runner.await_exit(job_id)
        assert job_id not in self.pool.running


class Network:
    """A worker's way to the log: records take a while to get there, and so does the word that they did."""

    def __init__(self, worker: SimulatedWorker, lag_s: float) -> None:
        self._worker = worker
        self._lag_s = lag_s

    async def append(self, topic: Topic, fact: Fact, deadline_s: float | None = None) -> Position:
        key, value, headers = encode(fact)
        return await self.append_raw(topic, key, value, headers)

    async def append_raw(
        self, topic: Topic, key: bytes | None, value: bytes | None, headers: Headers, deadline_s: float | None = None
    ) -> Position:
        await self._travel()
        world = self._worker.world
        if topic is not JOB_EVENTS:
            return await world.log.append_raw(topic, key, value, headers)
        position = await world.land(key, value, headers)
        await self._travel()
        return position

    async def _travel(self) -> None:
        await asyncio.sleep(self._worker.world.chances.uniform(0, self._lag_s))
        await self._worker.online.wait()


def settings_of(name: str, world: World) -> Settings:
    """The settings of one simulated worker."""
    return Settings.from_environment(
        {
            "PIPEROLL_INSTANCE": name,
            "PIPEROLL_SLOTS": str(world.slots),
            "PIPEROLL_PARTITIONS": str(world.partitions),
        }
    )


def _task_of_its_worker(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **options: Any
) -> "asyncio.Task[Any]":
    """Every task belongs to the worker that began it, so that all of them can end at once."""
    task = asyncio.Task(work, loop=loop, **options)
    worker = _worker.get()
    if worker is not None:
        worker.tasks.add(task)
        task.add_done_callback(worker.tasks.discard)
    return task
