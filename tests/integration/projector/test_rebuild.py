"""Rebuilds of the read model beside a real log."""

import asyncio

import asyncpg
import pytest

from schemas.events import JobCancelled, JobErased
from schemas.ids import member_id
from services.projector import rebuild as rebuilding
from services.projector.rebuild import RebuildRunningError, Replay, rebuild
from services.projector.verify.run import verify
from tests.support.histories.jobs import created as created_event
from tests.support.histories.jobs import life
from tests.support.projector.running import Log, sentences

FENCE = """
SELECT FROM pg_locks
WHERE relation = 'read_v1.checkpoints'::regclass AND mode IN ('ExclusiveLock', 'AccessExclusiveLock')
"""


async def test_each_fault_in_the_tables_is_found_and_all_are_mended_by_a_rebuild(log: Log) -> None:
    percent = """replace(state::text, '"percent":100', '"percent":1')::json"""
    faults = [
        ("UPDATE read_v1.jobs SET status = 'failed' WHERE job_id = $1", "{} has status 'failed' in its row"),
        (
            f"UPDATE read_v1.jobs SET state = {percent} WHERE job_id = $1",
            "{} has percent 1 in its state, 100 in the log",
        ),
        ("DELETE FROM read_v1.events WHERE job_id = $1 AND sequence = 2", "{} has other events"),
        ("UPDATE read_v1.events SET owner = 'else' WHERE job_id = $1", "{} is an event row that belongs to nothing"),
        ("DELETE FROM read_v1.jobs WHERE job_id = $1", "{} is in the log and not in the tables"),
        ("UPDATE read_v1.jobs SET job_id = 'x' || job_id WHERE job_id = $1", "x{} is in the tables and not in the log"),
        ("DELETE FROM read_v1.deliveries WHERE job_id = $1", "lack 1"),
        ("INSERT INTO read_v1.parked VALUES ($1, 0, 0)", "have 1 too many, such as {}"),
        (
            "INSERT INTO read_v1.batch_counts VALUES ($1, 0, 0, 1, 0, 0, now())",
            "{} has counts that are not those of its members",
        ),
        (
            "UPDATE read_v1.ends SET failed = failed + 1 WHERE $1 <> ''",
            "in partition 0 have counts that are not those of the jobs that ended",
        ),
    ]
    ids = await log.append(jobs=len(faults))
    async with log.projector():
        await log.caught_up()
    for job_id, (change, _) in zip(ids, faults, strict=True):
        await log.statement(change, job_id)
    found = sentences(await verify(log.settings))
    for job_id, (_, sentence) in zip(ids, faults, strict=True):
        assert sentence.format(job_id) in found
    await rebuild(log.settings)
    mended = await verify(log.settings)
    assert mended.holds, sentences(mended)
    assert mended.jobs >= len(faults)


async def test_a_checkpoint_beyond_the_log_is_found_and_mended_by_a_rebuild(log: Log) -> None:
    async with log.projector():
        await log.caught_up()
    await log.statement("UPDATE read_v1.checkpoints SET next_offset = next_offset + 1000000")
    report = await verify(log.settings)
    assert {violation.invariant for violation in report.violations} == {"I8"}
    await rebuild(log.settings)
    assert (await verify(log.settings)).holds


async def test_a_rebuild_under_load_is_not_noticed_by_the_projector(log: Log) -> None:
    await log.append(jobs=50)
    seen: list[tuple[int, int]] = []
    enough = asyncio.Event()

    async def load() -> None:
        while not enough.is_set():
            await log.append(jobs=5)

    async with log.projector() as lifetime:
        await log.caught_up()
        loading = asyncio.create_task(load())
        for _ in range(3):
            await rebuild(log.settings, lambda done, total: seen.append((done, total)))
        enough.set()
        await loading
        await log.caught_up()
        assert lifetime.problems() == {}
    report = await verify(log.settings)
    assert report.holds, sentences(report)
    assert all(done <= total for done, total in seen)
    left = await log.statement("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'read%'")
    assert [row["nspname"] for row in left] == ["read_v1"]


async def test_reads_go_on_while_the_projectors_are_locked_out(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for without waiting, in the middle of the swap: the lock of a read is granted, that of a projector not."""
    refused: list[str] = []

    class Watched(Replay):
        async def catch_up(self) -> None:
            fences = (
                "SELECT 1 FROM pg_locks WHERE relation = 'read_v1.checkpoints'::regclass AND mode LIKE '%Exclusive%'"
            )
            for mode in ("ACCESS SHARE", "ROW SHARE") if await log.statement(fences) else ():
                try:
                    await log.statement(f"DO 'BEGIN LOCK TABLE read_v1.checkpoints IN {mode} MODE NOWAIT; END'")
                except asyncpg.LockNotAvailableError:
                    refused.append(mode)
                refused.append(f"asked for {mode}")
            await super().catch_up()

    await log.append(jobs=5)
    async with log.projector():
        await log.caught_up()
    monkeypatch.setattr(rebuilding, "Replay", Watched)
    await rebuild(log.settings)
    assert refused == ["asked for ACCESS SHARE", "ROW SHARE", "asked for ROW SHARE"]


async def test_what_is_appended_during_the_last_steps_is_read_before_the_projectors_are_locked_out(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int] = []

    class Busy(Replay):
        async def come_near(self) -> None:
            await super().come_near()
            left.append(await self.left())
            if len(left) == 1:
                await log.append(jobs=5)
                left.append(await self.left())

    async with log.projector():
        await log.caught_up()
    monkeypatch.setattr(rebuilding, "Replay", Busy)
    monkeypatch.setattr(rebuilding, "NEAR_RECORDS", 3)
    await rebuild(log.settings)
    before, meanwhile, after = left
    assert before <= 3 < meanwhile
    assert after <= 3


async def test_a_rebuilt_read_model_is_the_live_one(log: Log) -> None:
    await log.append(jobs=20)
    await log.append_batch(count=30, created=20)
    async with log.projector():
        await log.caught_up()
    live = await log.tables()
    await rebuild(log.settings)
    assert await log.tables() == live
    assert len(live["jobs"]) >= 50


async def test_a_batch_has_the_counts_of_its_members_however_their_facts_are_read(log: Log) -> None:
    """Also of members that were cancelled before they were created."""
    batch_id = await log.append_batch(count=9, created=6)
    names = [member_id(batch_id, index) for index in range(9)]
    async with log.projector():
        await log.caught_up()
        await log.happen(names[0], *life()[1:])
        await log.happen(names[1], life()[1])
        await log.happen(names[2], JobCancelled(by="client"))
        await log.happen(names[7], JobCancelled(by="client"), created_event(batch_id))
        await log.happen(names[8], JobErased(by="client"))
        await log.caught_up()
    sums = "SELECT sum(processing), sum(completed), sum(failed), sum(cancelled) FROM read_v1.batch_counts"
    (row,) = await log.statement(f"{sums} WHERE batch_id = $1", batch_id)
    assert tuple(row) == (1, 1, 0, 3)
    report = await verify(log.settings)
    assert report.holds, sentences(report)
    await rebuild(log.settings)
    assert tuple((await log.statement(f"{sums} WHERE batch_id = $1", batch_id))[0]) == (1, 1, 0, 3)
    assert (await verify(log.settings)).holds


async def test_there_is_one_rebuild_at_a_time(log: Log) -> None:
    results = await asyncio.gather(rebuild(log.settings), rebuild(log.settings), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["RebuildRunningError", "Rebuilt"]
    assert any(isinstance(result, RebuildRunningError) for result in results)
