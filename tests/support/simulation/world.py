"""The whole of Piperoll over one log in virtual time, with whatever can go wrong between its processes.

The processes are made of the real parts (`product`). Simulated is what they talk to: a log in memory, the consumer
groups and the network to the log, a Postgres in memory (`postgres`), the children of workers, and webhook receivers.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from piperoll.history import History
from piperoll.log.record import Position, Record, partition_of
from schemas.envelope import Fact, Headers, UndecodableRecordError, UnknownEventError, encode
from schemas.topics import JOB_DELIVERIES, JOB_EVENTS, Topic
from tests.support.memory_log import MemoryLog
from tests.support.simulation.group import MARKER, Group
from tests.support.simulation.noticing import SettledNotices
from tests.support.simulation.notifier import SimulatedNotifier
from tests.support.simulation.postgres.server import ModelPostgres
from tests.support.simulation.postgres.statement import Tables
from tests.support.simulation.process import Process, task_of_its_process
from tests.support.simulation.projector import SimulatedProjector
from tests.support.simulation.receivers import Receivers
from tests.support.simulation.scripted_pool import Stage
from tests.support.simulation.store import SimulatedStore, UnreliableBlobs
from tests.support.simulation.virtual_time import VirtualLoop
from tests.support.simulation.worker import CHECKPOINTS, SimulatedWorker

SESSION_S = 10.0  # a process that is gone for so long loses its partitions
__all__ = ["CHECKPOINTS", "SESSION_S", "SimulatedWorker", "World"]


class World:
    """The log, the stores, the consumer groups, the processes, and everything that was seen.

    `environment` are settings of all processes; `session_s` is how long a process may be gone before it loses its
    partitions.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        seed: int,
        partitions: int = 4,
        slots: int = 2,
        session_s: float = SESSION_S,
        environment: Mapping[str, str] = {},
    ) -> None:
        loop.set_task_factory(task_of_its_process)
        self.loop = loop
        self.seed = seed
        self.chances = random.Random(seed)
        self.partitions = partitions
        self.slots = slots
        self.session_s = session_s
        self.environment = environment
        self.graves: list[Any] = []
        self.log = MemoryLog(partitions, loop.clock)
        self.store = UnreliableBlobs(loop.clock)
        self.blobs = SimulatedStore(self.store)
        self.postgres = ModelPostgres(loop)
        self.receivers = Receivers(self)
        self.stage = Stage()
        self.groups: dict[str, Group] = {}
        self.processes: dict[str, Process] = {}
        self.workers: dict[str, SimulatedWorker] = {}
        self.ends: dict[str, Position] = {}
        self.history = History(partitions)
        self.doubtful: set[str] = set()
        self.on_the_way: Counter[str] = Counter()
        self.hooks_settled: dict[str, float] = {}
        self.notices = SettledNotices({}, set(), set())
        self.on_end: Callable[[Process], None] = lambda process: None
        self._wakes: dict[str, list[asyncio.Event]] = {}

    # --- processes ---------------------------------------------------------------------------------------------------

    def start_worker(self, name: str, lag_s: float = 0.05, instance: str = "") -> SimulatedWorker:
        """Another worker joins, and the partitions are assigned again."""
        worker = SimulatedWorker(name, self, lag_s, instance)
        self.workers[name] = worker
        self._start(worker)
        return worker

    def start_projector(self, name: str, lag_s: float = 0.05, instance: str = "") -> SimulatedProjector:
        """The same for a projector."""
        projector = SimulatedProjector(name, self, lag_s, instance)
        self._start(projector)
        return projector

    def start_notifier(self, name: str, lag_s: float = 0.05, instance: str = "") -> SimulatedNotifier:
        """The same for a notifier."""
        notifier = SimulatedNotifier(name, self, lag_s, instance)
        self._start(notifier)
        return notifier

    def _start(self, process: Process) -> None:
        self.processes[process.name] = process
        process.start()
        self.deal()

    def failures(self) -> list[tuple[str, BaseException]]:
        """The processes that ended with an exception."""
        return [(name, one.failure) for name, one in self.processes.items() if one.failure is not None]

    # --- groups ------------------------------------------------------------------------------------------------------

    def group(self, name: str) -> Group:
        """A consumer group by its name."""
        return self.groups.setdefault(name, Group(self.partitions))

    @property
    def dealt(self) -> dict[int, str]:
        """The workers' partitions."""
        return self.group("worker").dealt

    @dealt.setter
    def dealt(self, dealt: dict[int, str]) -> None:
        self.group("worker").dealt = dealt
        self.wake()

    def deal(self) -> None:
        """Spread the partitions of every group over its living members."""
        for group in self.groups.values():
            group.deal()
        self.wake()

    def wake_on(self, topic: Topic) -> asyncio.Event:
        """An event that is set when a topic has new records, or an assignment changes."""
        event = asyncio.Event()
        self._wakes.setdefault(topic.name, []).append(event)
        return event

    def wake(self, topics: Mapping[str, object] | None = None) -> None:
        """Set the events of these topics, or of all."""
        for name in self._wakes if topics is None else topics:
            for event in self._wakes.get(name, ()):
                event.set()

    # --- the log -----------------------------------------------------------------------------------------------------

    def home_of(self, job_id: str) -> int:
        """The partition of a job."""
        return partition_of(job_id, self.partitions)

    async def append(self, fact: Fact, gap_before: bool = False, topic: Topic = JOB_EVENTS) -> Position:
        """A client's record, which every process may read from now on."""
        return self.accept(fact, gap_before, topic)

    def accept(self, fact: Fact, gap_before: bool = False, topic: Topic = JOB_EVENTS) -> Position:
        """The same, at once."""
        key, value, headers = encode(fact)
        if gap_before:
            self.log.place(topic, key, None, [MARKER])
        return self.place(topic, key, value, headers)

    async def land(self, key: bytes | None, value: bytes | None, headers: Headers) -> Position:
        """A record of the jobs' topic reaches the log."""
        return self.place(JOB_EVENTS, key, value, headers)

    def place(self, topic: Topic, key: bytes | None, value: bytes | None, headers: Headers) -> Position:
        """A record reaches the log, where the history checker sees it."""
        record = self.log.place(topic, key, value, headers)
        if topic in (JOB_EVENTS, JOB_DELIVERIES):
            self._observe(record)
        self.wake({topic.name: None})
        return record.position

    def _observe(self, record: Record) -> None:
        try:
            fact = record.fact()
        except (UndecodableRecordError, UnknownEventError):
            return
        self.history.observe(fact, record.position)
        if record.topic == JOB_DELIVERIES.name:
            self.notices.observe(fact, self.loop.time())
            hooks = self.history.hooks.get(fact.subject)
            if hooks is not None and hooks.final.state != "open":
                self.hooks_settled.setdefault(fact.subject, self.loop.time())
        job = self.history.jobs.get(fact.subject)
        if record.topic == JOB_EVENTS.name and job is not None and job.status.terminal:
            self.ends.setdefault(fact.subject, record.position)

    def restore_tables(self, older: Tables) -> None:
        """Put an older state of Postgres in place.

        Facts about deliveries that the log does not have at that moment are lost, or return later: their jobs become
        `doubtful` (docs/guarantees.md).
        """
        for tables in (self.postgres.committed, older):
            self.doubtful.update(row["job_id"] for row in tables["outbox"].values())
        self.doubtful.update(+self.on_the_way)
        self.postgres.restore(older)

    def draw_run(self) -> str:
        """The id of a run: of a seed's course of events, always the same."""
        return f"{self.chances.getrandbits(64):016x}"

    # --- its end -----------------------------------------------------------------------------------------------------

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

    def close(self) -> None:
        """Let go of everything. Coroutines of dead processes, which were never resumed, are closed unheard."""
        for work in self.graves:
            with suppress(BaseException):  # errors of its `finally` after the end of the loop mean nothing
                work.close()
        self.graves.clear()
        self.blobs.close()
