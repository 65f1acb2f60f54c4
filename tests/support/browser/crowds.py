"""Very many jobs of one owner, as rows of the read model alone: they have neither facts nor contents."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

FAILED_EVERY = 10

_JOBS = """
INSERT INTO read_v1.jobs (job_id, partition, owner, job_type, status, sequence, created, erased, created_at, updated_at,
                          state)
SELECT id, 0, $1, 'pdf', status, 3, true, false, at, at, json_build_object(
           'job_id', id, 'owner', $1, 'status', status, 'created_at', at, 'updated_at', at, 'started_at', at,
           'ended_at', at, 'sequence', 3, 'created', true, 'job_type', 'pdf', 'attempt', 1,
           'error_code', CASE status WHEN 'failed' THEN 'TIMEOUT' END)
FROM (SELECT 'job-' || md5($1 || n)::uuid AS id, date_trunc('second', now()) - n * interval '1 second' AS at,
             CASE n % $3 WHEN 0 THEN 'failed' ELSE 'completed' END AS status
      FROM generate_series(1, $2::int) AS n) AS made
"""
_WORDS = """
INSERT INTO read_v1.job_words (job_id, owner, words)
SELECT 'job-' || md5($1 || n)::uuid, $1, array_to_tsvector(ARRAY['pdf', 'place' || n])
FROM generate_series(1, $2::int) AS n
"""


@asynccontextmanager
async def crowd(dsn: str, owner: str, count: int) -> AsyncIterator[list[str]]:
    """Jobs of an owner, one a second, with the words `pdf` and `place1` to `placeN` from the newest to the oldest.

    Yields their ids in this order. They are removed afterwards: no fact explains them.
    """
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_JOBS, owner, count, FAILED_EVERY)
        await connection.execute(_WORDS, owner, count)
        await connection.execute("ANALYZE read_v1.jobs, read_v1.job_words")
        order = "SELECT job_id FROM read_v1.jobs WHERE owner = $1 ORDER BY created_at DESC, job_id DESC"
        yield [row["job_id"] for row in await connection.fetch(order, owner)]
    finally:
        await connection.execute("DELETE FROM read_v1.job_words WHERE owner = $1", owner)
        await connection.execute("DELETE FROM read_v1.jobs WHERE owner = $1", owner)
        await connection.close()
