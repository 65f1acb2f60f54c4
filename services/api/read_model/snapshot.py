"""One state of the tables: what is read in it is as far as its checkpoints, on whichever server it was read."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from schemas.topics import Topic
from services.api.http.database import bounded_query
from services.api.read_model.jobs import QUERIES


@asynccontextmanager
async def snapshot(
    pool: asyncpg.Pool, topic: Topic, deadline_s: float
) -> AsyncIterator[tuple[PoolConnectionProxy, Mapping[int, int]]]:
    """Yield a connection within a snapshot, and the next offset of each partition in it.

    Raises ReadModelUnavailableError.
    """
    async with (
        bounded_query("snapshot", deadline_s),
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        rows = await connection.fetch(QUERIES["positions"], [topic.name])
        yield connection, {row["partition"]: row["next_offset"] for row in rows}
