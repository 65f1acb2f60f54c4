"""A process that is frozen in a transaction: its locks hold up its own partition only, and for seconds."""

import time
from functools import partial

import asyncpg

from piperoll.log.record import partition_of
from piperoll.postgres import connect
from schemas.topics import JOB_EVENTS
from tests.support.projector.running import Log
from tests.support.stacks.projected import PARTITIONS, TIMEOUT_S
from tests.support.waiting import wait_until

HOLD_UP_S = 15.0


async def frozen_at(log: Log, partition: int) -> asyncpg.Connection:
    """A session that locked a checkpoint and then sends nothing, as that of a process under SIGSTOP."""
    connection = await connect(log.settings.postgres_dsn.get_secret_value(), "piperoll projector frozen-1")
    await connection.execute("BEGIN")
    await connection.execute(
        "SELECT 1 FROM read_v1.checkpoints WHERE topic = $1 AND partition = $2 FOR UPDATE", JOB_EVENTS.name, partition
    )
    return connection


async def rows_of(log: Log, job_ids: list[str]) -> bool:
    (row,) = await log.statement("SELECT count(*) AS known FROM read_v1.jobs WHERE job_id = ANY($1)", job_ids)
    return bool(row["known"] == len(job_ids))


async def test_a_frozen_projector_holds_up_one_partition_for_less_than_15_seconds(log: Log) -> None:
    async with log.projector() as lifetime:
        await log.append(jobs=6)
        await log.caught_up()
        frozen = await frozen_at(log, partition=1)
        began = time.monotonic()
        appended = await log.append(jobs=30)
        others = [job_id for job_id in appended if partition_of(job_id, PARTITIONS) != 1]
        assert 0 < len(others) < len(appended)
        await wait_until(partial(rows_of, log, others), 5, "the other partitions to be projected")
        await wait_until(
            lambda: "frozen-1" in lifetime.problems().get("group_jobs", ""), 5, "readiness to name who locks"
        )
        assert not await rows_of(log, appended), "the partition was not locked"
        await wait_until(partial(rows_of, log, appended), TIMEOUT_S, "the locked partition to be projected")
        assert time.monotonic() - began < HOLD_UP_S
        await wait_until(lambda: lifetime.problems() == {}, 5, "the projector to be ready again")
        frozen.terminate()
