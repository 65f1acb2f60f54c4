"""A pool of sessions of the model of Postgres."""

from typing import Any

from tests.support.simulation.postgres.server import ModelConnection, ModelPostgres
from tests.support.simulation.postgres.statement import Row


class ModelPool:
    """Sessions, one for each use (asyncpg.Pool)."""

    def __init__(self, server: ModelPostgres) -> None:
        self._server = server

    def acquire(self) -> "_Acquired":
        """A session for a while, as a context manager."""
        return _Acquired(self._server)

    async def fetch(self, statement: str, *arguments: Any) -> list[Row]:
        """See ModelConnection."""
        return await ModelConnection(self._server).fetch(statement, *arguments)

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        """See ModelConnection."""
        return await ModelConnection(self._server).fetchval(statement, *arguments)

    async def execute(self, statement: str, *arguments: Any) -> str:
        """See ModelConnection."""
        return await ModelConnection(self._server).execute(statement, *arguments)


class _Acquired:
    def __init__(self, server: ModelPostgres) -> None:
        self._connection = ModelConnection(server)

    async def __aenter__(self) -> ModelConnection:
        self._connection.check()
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        self._connection.roll_back()

    def __await__(self) -> Any:
        raise TypeError("use `async with`")
