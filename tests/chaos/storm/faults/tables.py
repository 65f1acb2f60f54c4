"""Postgres that crashes or has no connection left, sessions that end, locked tables, rebuilds that meet."""

import asyncio
import signal
from contextlib import AsyncExitStack

import asyncpg
import psutil

from tests.chaos.storm.faults.scene import Scene
from tests.support.clients.commands import piperoll

LOCKED = ("read_v1.checkpoints", "notifier.checkpoints", "read_v1.jobs", "notifier.queue")


async def end_database_sessions(scene: Scene) -> str:
    """All connections of Postgres end in the middle of what they do."""
    async with scene.database() as connection:
        ended = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    return f"ended {ended} database sessions"


async def crash_postgres(scene: Scene) -> str:
    """It ends without a checkpoint, as a whole or by one of its backends, and recovers from its own log."""
    match scene.chances.choice(["all", "at once", "a backend"]):
        case "all":
            await scene.system.stack.kill("postgres")
            return "killed Postgres"
        case "at once":
            psutil.Process(scene.system.stack.pid("postgres")).send_signal(signal.SIGQUIT)
            return "Postgres ended at once"
    async with scene.database() as connection:
        victims = await connection.fetch(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    if victims:
        psutil.Process(scene.chances.choice(victims)["pid"]).kill()
    return "killed a backend of Postgres"


async def use_up_the_connections(scene: Scene) -> str:
    """Foreign sessions hold all that Postgres allows, while services have to connect."""
    dsn, seconds, count = scene.system.settings.postgres_dsn.get_secret_value(), scene.seconds(2, 15), 0
    async with scene.database(), AsyncExitStack() as held:
        try:
            while True:
                connection = await asyncpg.connect(dsn)
                held.push_async_callback(connection.close)
                count += 1
        except asyncpg.TooManyConnectionsError:
            pass
        for name in ("projector", "notifier"):
            await scene.system.stack.kill(name)
        await asyncio.sleep(seconds)
    return f"{count} foreign sessions left Postgres no connection for {seconds:.0f} s"


async def lock_the_tables(scene: Scene) -> str:
    """A foreign transaction holds the checkpoints, or the rows, of the read model or of the notifier."""
    table, seconds = scene.chances.choice(LOCKED), scene.seconds(1, 20)
    async with scene.database() as connection, connection.transaction():
        await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(seconds)
    return f"{table} was locked for {seconds:.0f} s"


async def rebuild_twice_at_once(scene: Scene) -> str:
    """One of them rebuilds, the other one is refused."""
    folder = scene.system.stack.data_dir
    codes = [done.code for done in await asyncio.gather(*(piperoll("rebuild", folder=folder) for _ in range(2)))]
    return f"two rebuilds at once ended with {sorted(codes)}"
