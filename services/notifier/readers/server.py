"""Which Postgres server the pool reaches: another one may have an earlier state of the tables."""

from datetime import datetime

from piperoll.postgres import AnyConnection, load_queries

STARTED = load_queries("piperoll", "sessions.sql")["started"]


class PostgresServer:
    """Counts the servers by their start: a restart, a restore and a failover each make another one."""

    def __init__(self) -> None:
        self._started: datetime | None = None
        self.generation = 0

    async def meet(self, connection: AnyConnection) -> None:
        """Look at the server of a new connection, before the connection is used (piperoll.postgres.OnConnect)."""
        started = await connection.fetchval(STARTED)
        if started != self._started:
            self._started = started
            self.generation += 1
