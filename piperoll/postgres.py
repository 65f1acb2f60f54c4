"""The connection pool, SQL files and migrations. Queries are in .sql files of the services."""

import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from importlib.resources import files
from typing import Any

import asyncpg
from asyncpg import Connection
from asyncpg.pool import PoolConnectionProxy

MIGRATION_LOCK = 0x70697065  # any number that is the same in every process
MIGRATION_S = 3600.0  # an index on a large table takes its time; given up earlier, it would begin again at each start

AnyConnection = Connection | PoolConnectionProxy
OnConnect = Callable[[AnyConnection], Awaitable[None]]
"""Called with each new connection before it is used."""

POSTGRES_AWAY = (
    OSError,  # refused, reset; and TimeoutError: a statement's bound passed
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, cancelled by its timeout
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.TransactionRollbackError,  # deadlock, serialisation
    asyncpg.InternalClientError,  # the connection broke in the middle of an exchange
    asyncpg.IdleInTransactionSessionTimeoutError,  # the server ended a session that was slow: see BOUNDS
)
"""Errors while Postgres is unavailable, restarting or overloaded: a retry may succeed."""

VALUE_REFUSED = ("22", "54")
"""Classes of SQLSTATE that a value causes: data exception, and a limit exceeded (an index entry, a text)."""


def refuses_a_value(error: Exception) -> bool:
    """Whether Postgres, or the client library in its place, refuses a value. A retry fails again."""
    if isinstance(error, asyncpg.PostgresError):
        return str(getattr(error, "sqlstate", "")).startswith(VALUE_REFUSED)
    return isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)


BOUNDS: Mapping[str, str] = {
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "5s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
}
"""Settings of every session: a process that is frozen or cut off in a transaction loses its locks within 10 s."""

CLIENT_BOUNDS = {
    socket.TCP_KEEPIDLE: 5,  # seconds
    socket.TCP_KEEPINTVL: 2,
    socket.TCP_KEEPCNT: 3,
    socket.TCP_USER_TIMEOUT: 10_000,  # milliseconds
}
"""The same for this end: a server that is cut off is an error within 11 s."""


async def connect(dsn: str, name: str, **options: Any) -> asyncpg.Connection:
    """Return one connection with bounds; `name` is shown to others who wait for its locks."""
    connection: asyncpg.Connection = await asyncpg.connect(
        dsn, server_settings={**BOUNDS, "application_name": name}, **options
    )
    await _watch_line(connection)
    return connection


async def connect_pool(
    dsn: str,
    *,
    min_size: int = 1,
    max_size: int = 8,
    name: str = "piperoll",
    on_connect: OnConnect | None = None,
) -> asyncpg.Pool:
    """Return a pool of connections. Raises OSError or asyncpg.PostgresError when Postgres cannot be reached.

    `on_connect` is called with each new connection; its errors reach the caller that needed the connection. A released
    connection is not reset, except that an open transaction is rolled back. A session lock must be released by its
    holder.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        command_timeout=30,
        reset=_no_reset,
        init=partial(_prepare, on_connect=on_connect),
        server_settings={**BOUNDS, "application_name": name},
    )


async def _prepare(connection: Any, on_connect: OnConnect | None) -> None:
    await _watch_line(connection)
    if on_connect is not None:
        await on_connect(connection)


async def _watch_line(connection: Any) -> None:
    """Set CLIENT_BOUNDS on a TCP connection; asyncpg has no option for it."""
    line = connection._transport.get_extra_info("socket")
    if line is None or line.family not in (socket.AF_INET, socket.AF_INET6):
        return
    with socket.fromfd(line.fileno(), line.family, socket.SOCK_STREAM) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in CLIENT_BOUNDS.items():
            same.setsockopt(socket.IPPROTO_TCP, option, value)


def each(*checks: OnConnect) -> OnConnect:
    """Return a check that makes all of these, in order."""

    async def check(connection: AnyConnection) -> None:
        for one in checks:
            await one(connection)

    return check


async def holders(connection: Any, table: str) -> str:
    """Name the sessions that lock rows of a table, the oldest transaction first, for logs and readiness."""
    rows = await connection.fetch(load_queries("piperoll", "sessions.sql")["holders"], table)
    return "; ".join(row["holder"] for row in rows) or "a session that has ended"


async def _no_reset(connection: object) -> None:
    """Replace the pool's reset, which costs a round trip per acquire."""


async def server_time(connection: Any) -> datetime:
    """The server's clock."""
    found: datetime = await connection.fetchval(load_queries("piperoll", "sessions.sql")["time"])
    return found


def load_queries(package: str, name: str) -> dict[str, str]:
    """Return the statements of an `.sql` file by name. Each begins with `-- name: description` after an empty line."""
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    parts = re.split(r"(?<![^\n]\n)^-- (\w+): .*$", text, flags=re.MULTILINE)
    return {key: body.strip().rstrip(";") for key, body in zip(parts[1::2], parts[2::2], strict=True)}


async def migrate(pool: asyncpg.Pool, package: str, name: str) -> None:
    """Run an idempotent schema file under an advisory lock, since replicas may start at the same time."""
    script = files(package).joinpath(name).read_text(encoding="utf-8")
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = 0")  # another replica's migration may take its time
        await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK, timeout=MIGRATION_S)
        await connection.execute(script, timeout=MIGRATION_S)
