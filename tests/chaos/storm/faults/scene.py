"""What a fault may touch, and the connections that it uses."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import psutil
from aiokafka.errors import KafkaError

from piperoll.embedded.errors import StackError
from piperoll.log.producer import KafkaAppender
from tests.chaos.storm.backup import Backup
from tests.chaos.storm.disk import Disk
from tests.chaos.storm.network.proxy import Proxy
from tests.support.stacks.system import System
from tests.support.waiting import wait_until

PROCESSES = ("api", "api-1", "worker", "worker-1", "projector", "projector-1", "notifier", "notifier-1")
HARMLESS = (StackError, psutil.NoSuchProcess, KafkaError)
"""Errors of a fault that finds its process already gone, or Kafka not yet back from the fault before."""


class LeftOutError(Exception):
    """A fault that cannot be made on this machine, and why."""


class PromiseBrokenError(AssertionError):
    """A fault that was not noticed, or not put right, as the documents promise."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The running system, a backup of its Postgres, the disk of its blobs, the proxies before its stores by name.

    `chances` are the random numbers that faults draw from; `left_out` are those that cannot be made here, and why;
    `restores` are the numbers of webhooks that had arrived before and after each restore of Postgres.
    """

    system: System
    backup: Backup
    disk: Disk
    proxies: dict[str, Proxy]
    chances: random.Random
    left_out: dict[str, str] = field(default_factory=dict)
    restores: list[tuple[int, int]] = field(default_factory=list)

    def seconds(self, low: float, high: float) -> float:
        """The duration of a fault."""
        return self.chances.uniform(low, high)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection to the database, once it answers: other faults may have stopped it."""

        async def connected() -> asyncpg.Connection:
            return await asyncpg.connect(self.system.settings.postgres_dsn.get_secret_value())

        connection = await wait_until(connected, 60, "Postgres to answer", not_yet=(OSError, asyncpg.PostgresError))
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def appender(self) -> AsyncIterator[KafkaAppender]:
        """A foreign writer of the log, once Kafka answers."""
        appender = KafkaAppender(self.system.settings, "storm")
        await kafka_answers(appender.start)
        try:
            yield appender
        finally:
            await appender.stop()


async def kafka_answers(connect: Callable[[], Awaitable[None]]) -> None:
    """Call `connect` until Kafka answers: other faults may have stopped it."""

    async def connected() -> bool:
        await connect()
        return True

    await wait_until(connected, 60, "Kafka to answer", not_yet=(KafkaError, OSError))


Fault = Callable[[Scene], Awaitable[str]]
"""Breaks and heals; returns what it did, in a few words. Raises LeftOutError, PromiseBrokenError, and HARMLESS."""
