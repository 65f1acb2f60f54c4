"""Sessions that end, tables that are locked, rebuilds that meet."""

import asyncio

from tests.chaos.storm.faults.scene import Scene
from tests.support.clients.commands import piperoll


async def end_database_sessions(scene: Scene) -> str:
    """All connections of Postgres end in the middle of what they do."""
    async with scene.database() as connection:
        ended = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    return f"ended {ended} database sessions"


async def lock_the_tables(scene: Scene) -> str:
    """A foreign transaction holds the checkpoints of the read model or of the notifier."""
    table, seconds = scene.chances.choice(["read_v1.checkpoints", "notifier.checkpoints"]), scene.seconds(1, 8)
    async with scene.database() as connection, connection.transaction():
        await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(seconds)
    return f"{table} was locked for {seconds:.0f} s"


async def rebuild_twice_at_once(scene: Scene) -> str:
    """One of them rebuilds, the other one is refused."""
    folder = scene.system.stack.data_dir
    codes = [done.code for done in await asyncio.gather(*(piperoll("rebuild", folder=folder) for _ in range(2)))]
    return f"two rebuilds at once ended with {sorted(codes)}"
