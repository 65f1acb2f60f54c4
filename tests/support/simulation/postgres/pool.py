"""A pool of sessions of the model of Postgres."""

from typing import Any, cast

from piperoll.postgres import OnConnect
from tests.support.simulation.postgres.server import ModelConnection, ModelPostgres
from tests.support.simulation.postgres.statement import Row


class ModelPool:
    """Sessions, one for each use (asyncpg.Pool). `on_connect` is called when they are of another start of the server.

    A real pool calls it for each session; one for each start is the least that it does.
    """

    def __init__(self, server: ModelPostgres, on_connect: OnConnect) -> None:
        self._server = server
        self._on_connect = on_connect
        self._met: int | None = None

    def acquire(self) -> "_Acquired":
        """A session for a while, as a context manager."""
        return _Acquired(self)

    async def session(self) -> ModelConnection:
        """A session that may be used. Raises asyncpg's errors while the server is away."""
        session = ModelConnection(self._server)
        session.check()
        if self._met != self._server.epoch:
            epoch = self._server.epoch
            await self._on_connect(cast(Any, session))
            self._met = epoch
        return session

    async def fetch(self, statement: str, *arguments: Any) -> list[Row]:
        """See ModelConnection."""
        return await (await self.session()).fetch(statement, *arguments)

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        """See ModelConnection."""
        return await (await self.session()).fetchval(statement, *arguments)

    async def execute(self, statement: str, *arguments: Any) -> str:
        """See ModelConnection."""
        return await (await self.session()).execute(statement, *arguments)


class _Acquired:
    def __init__(self, pool: ModelPool) -> None:
        self._pool = pool

    async def __aenter__(self) -> ModelConnection:
        self._session = await self._pool.session()
        return self._session

    async def __aexit__(self, *_: object) -> None:
        self._session.roll_back()

    def __await__(self) -> Any:
        raise TypeError("use `async with`")
