"""What a read answers when Postgres fails over to a replica that is behind what was notified before."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from piperoll.settings import Settings
from schemas.topics import DOCUMENT_EVENTS, JOB_EVENTS, Topic
from services.api.http.database import Source
from services.api.http.errors import ReadModelUnavailableError
from services.api.log.ends import LogEnds
from services.api.read_model.catching_up import CatchingUp
from services.api.read_model.positions import Positions
from services.projector.database.schema import create_tables

END = 100


class Ends:
    """The ends of a log of one partition."""

    async def end_offsets(self, topic: Topic) -> dict[int, int]:
        return {0: END}


@pytest.fixture
async def positions(pool: asyncpg.Pool, settings: Settings) -> AsyncIterator[Positions]:
    """The old primary's projector had notified all of the log; the tables of the new one are behind."""
    async with pool.acquire() as connection:
        await create_tables(connection, "read_v1")
    await pool.execute("TRUNCATE read_v1.checkpoints")
    await project(pool, END - 10)
    heard = Positions(settings.postgres_dsn.get_secret_value())
    for alias in ("jobs", "documents"):
        heard._notified(None, 0, "", f"{alias}:0:{END}")
    yield heard
    await pool.execute("TRUNCATE read_v1.checkpoints")


async def project(pool: asyncpg.Pool, next_offset: int) -> None:
    await pool.executemany(
        """INSERT INTO read_v1.checkpoints (topic, partition, next_offset, cluster_id) VALUES ($1, 0, $2, 'c')
        ON CONFLICT (topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset""",
        [(topic.name, next_offset) for topic in (JOB_EVENTS, DOCUMENT_EVENTS)],
    )


def catching_up(positions: Positions, pool: asyncpg.Pool, topic: Topic, deadline_s: float) -> CatchingUp:
    return CatchingUp(positions, LogEnds(Ends(), deadline_s, topic), pool, deadline_s, topic)


async def absent(source: Source | None) -> None:
    """The look-up of a row that is not there."""


def anybodys(found: object) -> bool:
    """Every row is the caller's own."""
    return True


@pytest.mark.parametrize("topic", [JOB_EVENTS, DOCUMENT_EVENTS], ids=lambda topic: topic.name)
async def test_a_row_that_the_replica_lacks_is_not_known_to_be_missing(
    positions: Positions, pool: asyncpg.Pool, topic: Topic
) -> None:
    reading = catching_up(positions, pool, topic, deadline_s=0.5)
    with pytest.raises(ReadModelUnavailableError, match="has not caught up"):
        await reading.find(absent, anybodys)
    with pytest.raises(ReadModelUnavailableError, match="has not caught up"):
        await reading.up_to_now()


async def test_the_row_is_found_or_missing_once_the_tables_have_caught_up(
    positions: Positions, pool: asyncpg.Pool
) -> None:
    reading = catching_up(positions, pool, JOB_EVENTS, deadline_s=20)

    async def look_up(source: Source | None) -> int | None:
        reached = await (source or pool).fetchval("SELECT max(next_offset) FROM read_v1.checkpoints")
        return reached if reached == END else None

    waiting = asyncio.gather(reading.find(look_up, anybodys), reading.find(absent, anybodys))
    await asyncio.sleep(0)
    await project(pool, END)
    assert await waiting == [END, None]


async def test_the_row_and_the_checkpoint_are_of_one_state_of_the_tables(
    positions: Positions, pool: asyncpg.Pool
) -> None:
    """Each statement by itself could be answered by another server."""
    await project(pool, END)
    reading = catching_up(positions, pool, JOB_EVENTS, deadline_s=5)

    async def look_up(source: Source | None) -> int | None:
        if source is None:
            return None
        await project(pool, END - 50)
        return int(await source.fetchval("SELECT min(next_offset) FROM read_v1.checkpoints"))

    assert await reading.find(look_up, anybodys) == END
