"""The lists of jobs, batches and folders over a hundred thousand of them: by plan, a page reads only itself."""

from collections import Counter
from collections.abc import AsyncIterator

import asyncpg
import pytest

from schemas.read_model_names import READ_SCHEMA
from services.api.read_model.documents import QUERIES as DOCUMENT_QUERIES
from services.api.read_model.jobs import QUERIES
from services.projector.database.schema import create_tables
from tests.support.notifier.plans import explain, nodes

BATCHES = 1_000
MEMBERS = 100  # of each batch
PARTITIONS = 24
FOLDERS = 100_000
LIMIT, SKIP = 20, 40


@pytest.fixture(scope="module")
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    """Batches of half-done jobs, and folders, of one owner."""
    connected = await asyncpg.connect(database)
    await create_tables(connected, READ_SCHEMA)
    await connected.execute(
        """INSERT INTO read_v1.batches (batch_id, partition, owner, user_id, created_at, count, log_offset, state)
        SELECT 'batch-' || n, n % $2, 'owner', 'user-' || n % 10, now() - n * interval '1 second', $3::int, n, '{}'
        FROM generate_series(1, $1::int) AS n""",
        BATCHES,
        PARTITIONS,
        MEMBERS,
    )
    await connected.execute(
        """INSERT INTO read_v1.batch_counts
        SELECT 'batch-' || n, part, 1, 1, 1, 0, now()
        FROM generate_series(1, $1::int) AS n, generate_series(1, $2::int) AS part""",
        BATCHES,
        PARTITIONS,
    )
    await connected.execute(
        """INSERT INTO read_v1.jobs (job_id, partition, owner, job_type, batch_id, batch_index, status, sequence,
            created, erased, created_at, updated_at, state)
        SELECT 'job-' || n, 0, 'owner', 'noop', 'batch-' || n % $2 + 1, n / $2, 'completed', 3,
            true, false, now(), now(), '{}' FROM generate_series(1, $1::int) AS n""",
        BATCHES * MEMBERS,
        BATCHES,
    )
    await connected.execute(
        """INSERT INTO read_v1.job_words (job_id, owner, words)
        SELECT 'job-' || n, 'owner', array_to_tsvector(ARRAY['pdf', 'n' || n, 'group' || n % 1000])
        FROM generate_series(1, $1::int) AS n""",
        BATCHES * MEMBERS,
    )
    await connected.execute(
        """INSERT INTO read_v1.folders (folder_id, partition, owner, name, description, chunk_size, removed, created_at,
            updated_at, state)
        SELECT 'folder-' || n, 0, 'owner', 'Name', '', 256, n % 10 = 0, now() - n * interval '1 second', now(), '{}'
        FROM generate_series(1, $1::int) AS n""",
        FOLDERS,
    )
    await connected.execute("VACUUM ANALYZE")
    yield connected
    await connected.close()


async def rows_read(connection: asyncpg.Connection, statement: str, *arguments: object) -> Counter[str]:
    """The rows that a statement reads of each table, in all its loops."""
    read: Counter[str] = Counter()
    for node in nodes(await explain(connection, statement, *arguments)):
        if "Relation Name" in node:
            passed_over = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)  # type: ignore[operator]
            read[str(node["Relation Name"])] += (node["Actual Rows"] + passed_over) * node["Actual Loops"]  # type: ignore[operator]
    return read


async def test_a_page_of_batches_reads_the_counts_of_its_batches_and_no_job(connection: asyncpg.Connection) -> None:
    await connection.execute("SET plan_cache_mode = force_custom_plan")  # as the read model does
    read = await rows_read(connection, QUERIES["list_batches"], "owner", None, None, LIMIT, SKIP)
    assert set(read) <= {"batches", "batch_counts"}
    assert read["batches"] <= LIMIT + SKIP
    assert read["batch_counts"] <= (LIMIT + SKIP) * PARTITIONS


async def test_a_page_after_a_job_reads_no_job_before_it(connection: asyncpg.Connection) -> None:
    await connection.execute("SET plan_cache_mode = force_custom_plan")  # as the read model does
    filters = ("owner", None, None, None, None, None)
    read = await rows_read(connection, QUERIES["list_jobs"], *filters, LIMIT, 0, f"job-{BATCHES * MEMBERS // 2}")
    assert read["jobs"] <= LIMIT + 1, "the page, and the job that it follows"


@pytest.mark.parametrize(
    ("asked", "at_most"),
    [("n77777:*", 1), ("nowhere:*", 0), ("group77:* & n77077:*", 1), ("group77:*", 2_500), ("pdf:*", 20 * LIMIT)],
)
@pytest.mark.parametrize("status", [None, ["completed"]])
async def test_a_search_reads_what_it_finds_or_the_page_and_not_all_jobs(
    connection: asyncpg.Connection, asked: str, at_most: int, status: list[str] | None
) -> None:
    """Rare words lead from the index of words to their jobs, frequent ones are met on the way through the newest."""
    await connection.execute("SET plan_cache_mode = force_custom_plan")  # as the read model does
    filters = ("owner", status, None, None, None, None)
    read = await rows_read(connection, QUERIES["search_jobs"], *filters, LIMIT, 0, None, asked)
    assert read["jobs"] <= at_most
    assert read["job_words"] <= at_most


async def test_a_page_of_a_search_after_a_job_reads_no_job_before_it(connection: asyncpg.Connection) -> None:
    await connection.execute("SET plan_cache_mode = force_custom_plan")  # as the read model does
    filters = ("owner", None, None, None, None, None)
    after = f"job-{BATCHES * MEMBERS // 2}"
    read = await rows_read(connection, QUERIES["search_jobs"], *filters, LIMIT, 0, after, "pdf:*")
    assert read["jobs"] <= 20 * LIMIT


async def test_found_jobs_can_be_counted_without_reading_others(connection: asyncpg.Connection) -> None:
    await connection.execute("SET plan_cache_mode = force_custom_plan")  # as the read model does
    read = await rows_read(connection, QUERIES["count_found"], "owner", None, None, None, None, "group77:* & n77077:*")
    assert read["jobs"] <= 1
    assert read["job_words"] <= 1


async def test_jobs_can_be_counted_by_status_from_an_index_alone(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")  # as the read model does
        await connection.execute("SET LOCAL enable_seqscan = off")  # rows without a state are as short as the index
        plan = nodes(await explain(connection, QUERIES["count_by_status"], "owner", None, None, None, None))
    assert "Index Only Scan" in {str(node["Node Type"]) for node in plan}


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        ("count_batches", ("owner", None, None)),
        ("batch_counts", ("owner", None)),
        ("batch_counts", ("owner", "user-1")),
    ],
)
async def test_the_number_of_batches_and_their_statuses_are_read_without_a_job(
    connection: asyncpg.Connection, statement: str, arguments: tuple[object, ...]
) -> None:
    read = await rows_read(connection, QUERIES[statement], *arguments)
    assert set(read) <= {"batches", "batch_counts"}
    assert read["batches"] <= BATCHES
    assert read["batch_counts"] <= BATCHES * PARTITIONS


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_a_page_of_folders_reads_no_other_folder(connection: asyncpg.Connection, mode: str) -> None:
    await connection.execute(f"SET plan_cache_mode = {mode}")
    read = await rows_read(connection, DOCUMENT_QUERIES["list_folders"], "owner", ["extraction"], LIMIT, SKIP)
    assert read["folders"] <= LIMIT + SKIP
    assert read.total() - read["folders"] == 0, "empty folders have no document to look at"
