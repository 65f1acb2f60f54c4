"""A new connection to Postgres that leads to the tables of another installation, as after a wrong failover."""

import asyncio
from functools import partial

import asyncpg
import pytest

from piperoll.installation.identity import Installation, InstallationError
from piperoll.installation.tables import requirement
from piperoll.postgres import connect_pool
from piperoll.settings import Settings
from schemas.read_model_names import READ_SCHEMA
from services.api.read_model.positions import Positions
from services.projector.database.schema import create_live_tables
from services.projector.database.session import Session
from tests.support.waiting import PATIENCE_S, wait_until

REFUSED = "the tables in read_v1 belong to the installation theirs"
CUT_OFF = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@pytest.fixture
async def ours(pool: asyncpg.Pool, installation: Installation) -> Installation:
    """The installation that the tables belong to at first."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DROP SCHEMA IF EXISTS read_v1 CASCADE")
        await create_live_tables(connection, installation)  # type: ignore[arg-type]
    return installation


async def become_theirs(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute("UPDATE read_v1.installation SET id = 'theirs'")
        await connection.execute(CUT_OFF)


async def one(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("SELECT 1"))


async def test_a_projector_ends(settings: Settings, pool: asyncpg.Pool, ours: Installation) -> None:
    session = Session(
        settings.postgres_dsn.get_secret_value(), asyncio.Event(), on_connect=requirement(READ_SCHEMA, lambda: ours)
    )
    assert await session.transaction(one) == 1
    await become_theirs(pool)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(InstallationError, match=REFUSED):
            await session.transaction(one)


async def test_an_api_ends(settings: Settings, pool: asyncpg.Pool, ours: Installation) -> None:
    positions = Positions(settings.postgres_dsn.get_secret_value(), requirement(READ_SCHEMA, lambda: ours))
    task = asyncio.create_task(positions.run())
    not_yet = "the read model was not connected yet"
    await wait_until(lambda: positions.problem() != not_yet, PATIENCE_S, "the first connection")
    await become_theirs(pool)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(InstallationError, match=REFUSED):
            await task


async def test_the_pool_of_a_notifier_gives_no_connection(
    settings: Settings, pool: asyncpg.Pool, ours: Installation
) -> None:
    check = requirement(READ_SCHEMA, lambda: ours)
    other = await connect_pool(settings.postgres_dsn.get_secret_value(), max_size=1, on_connect=check)
    assert await other.fetchval("SELECT 1") == 1
    await become_theirs(pool)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(InstallationError, match=REFUSED):
            await wait_until(partial(_refused, other), PATIENCE_S, "a new connection")
    await other.close()


async def _refused(other: asyncpg.Pool) -> bool:
    """The first statement meets the lost connection."""
    try:
        await other.fetchval("SELECT 1")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        return False
    return True
