"""One connection to Postgres, kept open, and replaced when it is lost. Contains no query.

A pool would reset the connection at each release: one more round trip for every poll.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from asyncpg import Connection

from piperoll.log.contract import PartitionBusyError
from piperoll.outages import Outage
from piperoll.postgres import OnConnect, connect

T = TypeVar("T")

STATEMENT_S = 30.0  # far longer than any statement takes; a longer one counts as an outage
CONNECT_S = 10.0


class Session:
    """Runs transactions one at a time, repeated over outages. `on_connect` checks each new connection."""

    def __init__(
        self,
        dsn: str,
        stopping: asyncio.Event,
        name: str = "piperoll projector",
        on_connect: OnConnect | None = None,
    ) -> None:
        self._dsn = dsn
        self._name = name
        self._on_connect = on_connect
        self._connection: Connection | None = None
        self._connects = 0
        self._outage = Outage("Postgres", stopping)

    def problem(self) -> str | None:
        """A sentence while Postgres is unavailable."""
        return self._outage.problem()

    @property
    def generation(self) -> int:
        """The number of the present connection, or of the next one when it is lost."""
        lost = self._connection is None or self._connection.is_closed()
        return self._connects + lost

    async def transaction(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Return the result of `work` in one transaction, repeated over outages: `work` must read all it relies on.

        It is also repeated if the answer to COMMIT was lost. Raises StoppedWaitingError.
        """
        return await self._outage.outlast(lambda: self.once(work))

    async def once(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """The same without a repetition. Raises asyncpg's errors and OSError during an outage."""
        if self._connection is None:
            self._connection = await self._connect()
            self._connects += 1
        connection = self._connection
        try:
            async with connection.transaction():
                return await work(connection)
        except PartitionBusyError:
            raise  # the connection is sound
        except BaseException:
            # Whatever state it is in, the next try starts from a new connection; the server rolls back.
            self._connection = None
            connection.terminate()
            raise

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close(timeout=CONNECT_S)

    async def _connect(self) -> Connection:
        connection = await connect(self._dsn, self._name, timeout=CONNECT_S, command_timeout=STATEMENT_S)
        if self._on_connect is not None:
            try:
                await self._on_connect(connection)
            except BaseException:
                connection.terminate()
                raise
        return connection
