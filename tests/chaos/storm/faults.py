"""The faults. Each lasts for a while, and heals what it broke, so that any order of them is possible."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import psutil

from piperoll.embedded.errors import StackError
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from schemas.ids import draw_job_id
from schemas.topics import DOCUMENT_EVENTS, ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS
from tests.support.clients.commands import piperoll
from tests.support.stacks.system import System
from tests.support.waiting import wait_until

PROCESSES = ("api", "worker", "worker-1", "projector", "projector-1", "notifier", "notifier-1")
TOPICS = (JOB_EVENTS, JOB_DELIVERIES, DOCUMENT_EVENTS, ENDPOINT_EVENTS)
REPEATED = 300  # records of a duplicate storm


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault may touch, and the random numbers that it draws from."""

    system: System
    chances: random.Random

    def seconds(self, low: float, high: float) -> float:
        """The duration of a fault."""
        return self.chances.uniform(low, high)


Fault = Callable[[Scene], Awaitable[str]]
"""Breaks and heals; returns what it did, in a few words."""


async def kill_a_process(scene: Scene) -> str:
    """SIGKILL of any process of a service; the supervisor starts it again."""
    name = scene.chances.choice(PROCESSES)
    await scene.system.stack.kill(name)
    return f"killed {name}"


async def kill_every_service(scene: Scene) -> str:
    """SIGKILL of all of them at the same time."""
    await asyncio.gather(*(scene.system.stack.kill(name) for name in PROCESSES))
    return "killed all services"


async def freeze_a_process(scene: Scene) -> str:
    """SIGSTOP for longer than its session lasts: a zombie when it wakes."""
    name, seconds = scene.chances.choice(PROCESSES), scene.seconds(2, 20)
    async with _frozen(scene.system.stack.pid(name)):
        await asyncio.sleep(seconds)
    return f"{name} was frozen for {seconds:.0f} s"


async def stop_and_start_a_process(scene: Scene) -> str:
    """SIGTERM: it drains, and comes back."""
    name = scene.chances.choice(PROCESSES)
    await scene.system.stack.stop_service(name)
    await scene.system.stack.start_service(name)
    return f"{name} was restarted"


async def kill_the_broker(scene: Scene) -> str:
    """SIGKILL: acknowledgements on their way are lost."""
    await scene.system.stack.kill("kafka")
    return "killed Kafka"


async def freeze_the_broker(scene: Scene) -> str:
    """Connections stay open, and nothing answers."""
    seconds = scene.seconds(2, 15)
    async with _frozen(scene.system.stack.pid("kafka")):
        await asyncio.sleep(seconds)
    return f"Kafka was frozen for {seconds:.0f} s"


async def stop_the_broker(scene: Scene) -> str:
    """An outage that every client notices at once."""
    seconds = scene.seconds(2, 20)
    await scene.system.stack.stop_kafka()
    await asyncio.sleep(seconds)
    await scene.system.stack.start_kafka()
    return f"Kafka was away for {seconds:.0f} s"


async def stop_postgres(scene: Scene) -> str:
    """No reads, no webhooks; jobs go on."""
    seconds = scene.seconds(1, 15)
    await scene.system.stack.stop_postgres()
    await asyncio.sleep(seconds)
    await scene.system.stack.start_postgres()
    return f"Postgres was away for {seconds:.0f} s"


async def end_database_sessions(scene: Scene) -> str:
    """All connections of Postgres end in the middle of what they do."""
    async with _connection(scene) as connection:
        ended = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    return f"ended {ended} database sessions"


async def lock_the_tables(scene: Scene) -> str:
    """A foreign transaction holds the checkpoints of the read model or of the notifier."""
    table, seconds = scene.chances.choice(["read_v1.checkpoints", "notifier.checkpoints"]), scene.seconds(1, 8)
    async with _connection(scene) as connection, connection.transaction():
        await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(seconds)
    return f"{table} was locked for {seconds:.0f} s"


async def add_poison(scene: Scene) -> str:
    """Records that are no events, in every topic, also under keys that are used later."""
    async with _appender(scene) as appender:
        for topic in TOPICS:
            key = draw_job_id().encode()
            await appender.append_raw(topic, key, b"\xff\x00garbage", [])
            await appender.append_raw(topic, key, b"{}", [("ce_type", b"nonsense"), ("ce_id", b"")])
            await appender.append_raw(topic, None, b"", [("ce_id", b"\xff\xfe")])
    return f"poison in {len(TOPICS)} topics"


async def repeat_records(scene: Scene) -> str:
    """The newest facts of jobs are appended a second time, as they were."""
    offsets = KafkaOffsets(scene.system.settings)
    await offsets.start()
    try:
        ends = await offsets.end_offsets(JOB_EVENTS)
        begins = {part: max(0, end - REPEATED // len(ends)) for part, end in ends.items()}
        records = await offsets.read_range(JOB_EVENTS, begins, ends)
    finally:
        await offsets.stop()
    async with _appender(scene) as appender:
        for record in records:
            if record.key is not None:
                await appender.append_raw(JOB_EVENTS, record.key, record.value, record.headers)
    return f"appended {len(records)} records again"


async def rebuild_twice_at_once(scene: Scene) -> str:
    """One of them rebuilds, the other one is refused."""
    folder = scene.system.stack.data_dir
    codes = [done.code for done in await asyncio.gather(*(piperoll("rebuild", folder=folder) for _ in range(2)))]
    return f"two rebuilds at once ended with {sorted(codes)}"


async def hide_the_blob_store(scene: Scene) -> str:
    """The folder is away, as a volume that is not mounted."""
    blobs, seconds = scene.system.stack.data_dir / "blobs", scene.seconds(1, 10)
    away = blobs.with_name("blobs-away")
    blobs.rename(away)
    await asyncio.sleep(seconds)
    if blobs.exists():  # a write made it again: nothing of it was acknowledged, as the identity is missing
        blobs.rename(blobs.with_name(f"blobs-written-meanwhile-{scene.chances.getrandbits(32):08x}"))
    away.rename(blobs)
    return f"the blob store was away for {seconds:.0f} s"


FAULTS: dict[Fault, int] = {
    kill_a_process: 10,
    kill_every_service: 1,
    freeze_a_process: 6,
    stop_and_start_a_process: 5,
    kill_the_broker: 3,
    freeze_the_broker: 3,
    stop_the_broker: 2,
    stop_postgres: 3,
    end_database_sessions: 4,
    lock_the_tables: 3,
    add_poison: 3,
    repeat_records: 3,
    hide_the_blob_store: 2,
    rebuild_twice_at_once: 2,
}
"""Each fault and its weight in the draw."""


@asynccontextmanager
async def _frozen(pid: int) -> AsyncIterator[None]:
    process = psutil.Process(pid)
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        if process.is_running():
            process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def _connection(scene: Scene) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the database, once it answers: other faults may have stopped it."""

    async def connected() -> asyncpg.Connection:
        return await asyncpg.connect(scene.system.settings.postgres_dsn.get_secret_value())

    connection = await wait_until(connected, 60, "Postgres to answer", not_yet=(OSError, asyncpg.PostgresError))
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def _appender(scene: Scene) -> AsyncIterator[KafkaAppender]:
    appender = KafkaAppender(scene.system.settings, "storm")
    await appender.start()
    try:
        yield appender
    finally:
        await appender.stop()


HARMLESS = (StackError, psutil.NoSuchProcess)
"""Errors of a fault that finds its process already gone."""
