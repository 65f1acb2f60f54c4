"""The connection pool, SQL files and migrations. Queries are in .sql files of the services."""

import re
from importlib.resources import files

import asyncpg

MIGRATION_LOCK = 0x70697065  # any number that is the same in every process

POSTGRES_AWAY = (
    OSError,  # refused, reset; and TimeoutError: a statement's bound passed
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, cancelled by its timeout
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.TransactionRollbackError,  # deadlock, serialisation
    asyncpg.InternalClientError,  # the connection broke in the middle of an exchange
)
"""Errors while Postgres is unavailable, restarting or overloaded: a retry may succeed."""

VALUE_REFUSED = ("22", "54")
"""Classes of SQLSTATE that a value causes: data exception, and a limit exceeded (an index entry, a text)."""


def refuses_a_value(error: Exception) -> bool:
    """Whether Postgres, or the client library in its place, refuses a value. A retry fails again."""
    if isinstance(error, asyncpg.PostgresError):
        return str(getattr(error, "sqlstate", "")).startswith(VALUE_REFUSED)
    return isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)


async def connect_pool(dsn: str, *, min_size: int = 1, max_size: int = 8) -> asyncpg.Pool:
    """Return a pool of connections. Raises OSError or asyncpg.PostgresError when Postgres cannot be reached.

    A released connection is not reset, except that an open transaction is rolled back. A session lock must be released
    by its holder.
    """
    return await asyncpg.create_pool(dsn, min_size=min_size, max_size=max_size, command_timeout=30, reset=_no_reset)


async def _no_reset(connection: object) -> None:
    """Replace the pool's reset, which costs a round trip per acquire."""


def load_queries(package: str, name: str) -> dict[str, str]:
    """Return the statements of an `.sql` file by name. A statement begins with a line `-- name: description`."""
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    parts = re.split(r"^-- (\w+): .*$", text, flags=re.MULTILINE)
    return {key: body.strip().rstrip(";") for key, body in zip(parts[1::2], parts[2::2], strict=True)}


async def migrate(pool: asyncpg.Pool, package: str, name: str) -> None:
    """Run an idempotent schema file under an advisory lock, since replicas may start at the same time."""
    script = files(package).joinpath(name).read_text(encoding="utf-8")
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        try:
            await connection.execute(script)
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", MIGRATION_LOCK)
