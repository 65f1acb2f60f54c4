"""The pool, transactions and migrations. Holds no query: SQL lives beside the service that owns it."""

import re
from importlib.resources import files

import asyncpg

MIGRATION_LOCK = 0x70697065  # any number, the same in every process: replicas migrate one after the other

POSTGRES_AWAY = (
    OSError,  # refused, reset; and TimeoutError: a statement's bound passed
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, cancelled by its timeout
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.TransactionRollbackError,  # deadlock, serialisation
    asyncpg.InternalClientError,  # what asyncpg says of a connection that broke in the middle of an exchange
)
"""What Postgres being away, restarted or crowded looks like: the same call again may succeed."""


async def connect_pool(dsn: str, *, min_size: int = 1, max_size: int = 8) -> asyncpg.Pool:
    """A pool of connections. Raises OSError or asyncpg.PostgresError when Postgres cannot be reached.

    Who borrows one and takes a lock for the session, gives the lock back: nothing is undone at the return but a
    transaction that is still open.
    """
    return await asyncpg.create_pool(dsn, min_size=min_size, max_size=max_size, command_timeout=30, reset=_as_it_is)


async def _as_it_is(connection: object) -> None:
    """In place of the pool's own reset, which is a round trip for each statement."""


def load_queries(package: str, name: str) -> dict[str, str]:
    """The statements of an `.sql` file by their names.

    A statement begins with a line `-- name: what it does`; the text after the colon is for the reader.
    """
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    parts = re.split(r"^-- (\w+): .*$", text, flags=re.MULTILINE)
    return {key: body.strip().rstrip(";") for key, body in zip(parts[1::2], parts[2::2], strict=True)}


async def migrate(pool: asyncpg.Pool, package: str, name: str) -> None:
    """Runs an idempotent schema file under an advisory lock, so that replicas starting together do not race."""
    script = files(package).joinpath(name).read_text(encoding="utf-8")
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        try:
            await connection.execute(script)
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", MIGRATION_LOCK)
