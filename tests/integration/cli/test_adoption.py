"""What an adoption keeps and deletes: a folder, a log in memory, and tables in Postgres."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from piperoll.domain.backlog import Backlog
from piperoll.installation import tables
from piperoll.installation.adoption import Plan, adopt
from piperoll.installation.guard import identify
from piperoll.installation.identity import InstallationError
from piperoll.installation.survey import survey
from piperoll.log.backlog_checkpoint import Checkpoint, Checkpoints
from piperoll.postgres import migrate
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.topics import JOB_EVENTS
from services.projector.database.schema import create_live_tables
from tests.support.histories.jobs import created, fact
from tests.support.memory_log import MemoryLog

ADVANCE = """INSERT INTO {}.checkpoints (topic, partition, next_offset, cluster_id, last_ce_id)
VALUES ($1, 0, $2, $3, $4)"""


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[AsyncBlobs]:
    store = AsyncBlobs(Blobs((tmp_path / "blobs").as_uri()))
    yield store
    store.close()


@pytest.fixture
async def connection(pool: asyncpg.Pool, database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database with empty tables that name no installation."""
    await pool.execute("DROP SCHEMA IF EXISTS read_v1, notifier CASCADE")
    await migrate(pool, "services.notifier", "notifier.sql")
    made = await asyncpg.connect(database)
    await create_live_tables(made)
    yield made
    await made.close()


async def filled(log: MemoryLog, blobs: AsyncBlobs, connection: asyncpg.Connection) -> str:
    """An installation at work: a record that every reader has handled. Returns the record's id."""
    installation = await identify(blobs, log)
    for schema in ("read_v1", "notifier"):
        await tables.claim(connection, schema, installation)
    one = fact("job-a", created(), 0)
    await log.append(JOB_EVENTS, one)
    await blobs.put("job-a/in", b"{}")
    for schema in ("read_v1", "notifier"):
        await connection.execute(ADVANCE.format(schema), JOB_EVENTS.name, 1, log.ids.cluster_id, one.id)
    await Checkpoints(blobs, log.ids.cluster_id, f"group/{JOB_EVENTS.name}").save(0, Checkpoint(Backlog(), 1, one.id))
    return one.id


async def test_stores_that_belong_together_have_no_problem(blobs: AsyncBlobs, connection: asyncpg.Connection) -> None:
    log = MemoryLog(partitions=1)
    assert (await survey(blobs, log, connection)).problems == ()
    await filled(log, blobs, connection)
    found = await survey(blobs, log, connection)
    assert found.marker is not None
    assert found.tables == dict.fromkeys(("read_v1", "notifier"), found.marker.id)
    assert (found.problems, found.foreign, found.checkpoints) == ((), {}, ())


async def test_another_cluster_with_the_same_records_is_named_and_then_adopted(
    blobs: AsyncBlobs, connection: asyncpg.Connection
) -> None:
    log = MemoryLog(partitions=1)
    await filled(log, blobs, connection)
    log.ids = replace(log.ids, cluster_id="copy")
    found = await survey(blobs, log, connection)
    assert "belongs to the Kafka cluster memory, but copy answers" in found.problems[0]
    assert found.foreign.keys() == {"read_v1", "notifier"}
    with pytest.raises(InstallationError):
        await identify(blobs, log)
    adopted = await adopt(blobs, connection, found)
    assert await identify(blobs, log) == adopted
    assert adopted.id != (found.marker and found.marker.id)
    assert await blobs.names("job-a") == await blobs.names("job-a/in")
    assert await blobs.names("checkpoints") == ()
    after = await survey(blobs, log, connection)
    assert after.tables == {"read_v1": adopted.id}, "the queue is made again, the read model waits for a rebuild"
    assert [problem.partition(" (")[0] for problem in after.problems] == [
        "the tables in read_v1 were filled from another log"
    ]


async def test_an_older_copy_of_the_log_is_named_although_its_ids_are_the_same(
    blobs: AsyncBlobs, connection: asyncpg.Connection
) -> None:
    await filled(MemoryLog(partitions=1), blobs, connection)
    older = MemoryLog(partitions=1)
    assert (await identify(blobs, older)).cluster_id == "memory"
    found = await survey(blobs, older, connection)
    assert "the checkpoint is at 1, the log ends at 0" in found.foreign["read_v1"]
    assert len(found.checkpoints) == 1
    assert any("`piperoll adopt`" in problem for problem in found.problems)


async def test_a_store_that_moved_keeps_what_is_of_this_log(blobs: AsyncBlobs, connection: asyncpg.Connection) -> None:
    log = MemoryLog(partitions=1)
    await filled(log, blobs, connection)
    await blobs.delete(["installation.json"])
    await connection.execute("UPDATE read_v1.installation SET id = 'theirs'")
    found = await survey(blobs, log, connection)
    assert Plan.of(found) == Plan(("read_v1", "notifier"), drops_notifier=False, needs_rebuild=False, checkpoints=())
    adopted = await adopt(blobs, connection, found)
    after = await survey(blobs, log, connection)
    assert (after.problems, after.marker) == ((), adopted)
    assert len(await blobs.names("checkpoints")) == 1


async def test_tables_of_a_release_without_ids_are_claimed_unless_they_are_of_another_cluster(
    blobs: AsyncBlobs, connection: asyncpg.Connection
) -> None:
    installation = await identify(blobs, MemoryLog())
    await connection.execute(ADVANCE.format("read_v1"), JOB_EVENTS.name, 1, "other", "id")
    await connection.execute(ADVANCE.format("notifier"), JOB_EVENTS.name, 1, "memory", "id")
    for schema in ("read_v1", "notifier"):
        await tables.claim(connection, schema, installation)
    assert await tables.owner_of(connection, "read_v1") is None
    assert await tables.owner_of(connection, "notifier") == installation.id
    with pytest.raises(InstallationError, match="the tables in notifier belong to the installation"):
        await tables.claim(connection, "notifier", installation.model_copy(update={"id": "ours"}))
