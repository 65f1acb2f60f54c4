"""A read model that another version of Piperoll made: refused, never half read, and rebuilt from the log."""

import asyncpg
import pytest

from piperoll.cli.tables import discard_other_read_model
from piperoll.embedded.stack import Stack, StackOptions
from piperoll.runtime import Lifetime
from piperoll.settings import Settings
from services.projector import app
from services.projector.database.schema import (
    OtherShapeError,
    create_live_tables,
    create_tables,
    discard_other_shape,
    require_shape,
    shape_of,
)
from services.projector.rebuild import rebuild
from services.projector.verify.run import verify

OLDER = """
DROP SCHEMA IF EXISTS read_v1 CASCADE;
CREATE SCHEMA read_v1;
CREATE TABLE read_v1.jobs (job_id text PRIMARY KEY, colour text);
CREATE TABLE read_v1.checkpoints (topic text, partition int);
"""


@pytest.fixture
async def connection(database: str):
    one = await asyncpg.connect(database)
    yield one
    await one.close()


async def test_tables_of_this_version_are_made_once_and_known_again(connection: asyncpg.Connection) -> None:
    for _ in range(2):
        async with connection.transaction():
            await create_live_tables(connection)
    assert not await discard_other_shape(connection)
    assert await connection.fetchval("SELECT count(*) FROM read_v1.jobs") == 0


@pytest.mark.parametrize("mark", ["", "COMMENT ON SCHEMA read_v1 IS 'another file'"])
async def test_tables_of_another_version_stop_a_projector_before_it_reads_them(
    settings: Settings, connection: asyncpg.Connection, mark: str
) -> None:
    await connection.execute(OLDER + mark)
    with pytest.raises(OtherShapeError, match="piperoll rebuild"):
        await app.main(settings, Lifetime())
    with pytest.raises(OtherShapeError, match="piperoll rebuild"):
        await verify(settings)
    assert (
        await connection.fetchval("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'read_v1'") == 2
    )


async def test_a_rebuild_puts_tables_of_this_version_in_their_place(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    await connection.execute(OLDER)
    await rebuild(settings)
    await require_shape(connection)
    assert (await verify(settings)).holds


def test_a_comment_changes_no_shape_and_a_column_does() -> None:
    table = "CREATE TABLE read_v1.a (\n    b int -- a number\n);"
    assert shape_of(table) == shape_of("-- Rows.\nCREATE TABLE read_v1.a ( b int );")
    assert shape_of(table) != shape_of(table.replace("int", "bigint"))


async def test_tables_that_a_rebuild_fills_are_not_live_tables_of_another_version(
    connection: asyncpg.Connection,
) -> None:
    await connection.execute("DROP SCHEMA IF EXISTS read_v1 CASCADE")
    await create_tables(connection, "read_v1_rebuild")
    await require_shape(connection)


async def test_an_embedded_stack_rebuilds_its_read_model_by_itself(tmp_path) -> None:
    heard: list[str] = []
    stack = Stack(tmp_path, StackOptions(services=(), prepare=discard_other_read_model), heard.append)
    async with stack:
        connection = await asyncpg.connect(stack.environment["PIPEROLL_POSTGRES_DSN"])
        await connection.execute(OLDER)
        await connection.close()
    assert not any("another version" in line for line in heard)
    async with stack:
        assert any("rebuilt from the log" in line for line in heard)
        connection = await asyncpg.connect(stack.environment["PIPEROLL_POSTGRES_DSN"])
        assert await connection.fetchval("SELECT to_regnamespace('read_v1')") is None
        await connection.close()
