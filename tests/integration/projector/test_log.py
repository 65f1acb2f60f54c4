"""The projector beside a real log: restarts, outages, a rebuild under load, and the findings of `verify`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial

import asyncpg
import pytest
from pydantic_core import to_json

from piperoll.log.continuity import LogDivergedError
from piperoll.runtime import Lifetime
from piperoll.store.blobs import Blobs
from schemas.envelope import Fact
from schemas.events import BatchCreated, WebhookDelivered
from schemas.ids import draw_batch_id, draw_job_id, member_id
from schemas.topics import JOB_DELIVERIES, JOB_EVENTS
from services.projector.app import main
from services.projector.rebuild import RebuildRunningError, rebuild
from services.projector.verify.run import VerifyReport, verify
from tests.support.histories.jobs import created as created_event
from tests.support.histories.jobs import fact, life
from tests.support.stacks.projected import TIMEOUT_S, ProjectedLog, opened
from tests.support.waiting import PATIENCE_S, wait_until


class Log(ProjectedLog):
    """A log of this module's own, and what its projector made of it."""

    topics = (JOB_EVENTS, JOB_DELIVERIES)

    async def append(self, jobs: int) -> list[str]:
        """Whole lives of so many jobs, each with a delivered webhook; their ids."""
        ids = [draw_job_id() for _ in range(jobs)]
        for second, data in enumerate(life(has_webhook=True)):
            await self._append_all([fact(job_id, data, second) for job_id in ids])
        delivered = WebhookDelivered(delivery_id="msg-1", phase="completed", attempt=1, status=200, duration_ms=3)
        await asyncio.gather(*(self.appender.append(JOB_DELIVERIES, fact(job_id, delivered, 9)) for job_id in ids))
        return ids

    async def append_batch(self, count: int, created: int) -> None:
        """A batch of which the first `created` members exist, as an expander that is halfway leaves it."""
        batch_id = draw_batch_id()
        specs = Blobs(self.settings.blob_url).put(f"{batch_id}/in", to_json([{"job_type": "noop"}] * count))
        whole = BatchCreated(count=count, specs=specs, body_sha256="0" * 64)
        members = [fact(member_id(batch_id, index), created_event(batch_id), 1) for index in range(created)]
        await self._append_all([fact(batch_id, whole), *members])

    async def tables(self) -> dict[str, list[asyncpg.Record]]:
        """Everything that the read model holds, but the checkpoints."""
        order = {
            "jobs": "job_id",
            "events": "job_id, sequence",
            "batches": "batch_id",
            "deliveries": "job_id, log_offset",
        }
        return {
            table: await self.statement(f"SELECT t::text FROM read_v1.{table} t ORDER BY {columns}")
            for table, columns in order.items()
        }

    async def _append_all(self, facts: list[Fact]) -> None:
        await asyncio.gather(*(self.appender.append(JOB_EVENTS, one) for one in facts))

    async def projected(self) -> int:
        """How many records were projected, of both topics."""
        (row,) = await self.statement("SELECT sum(next_offset)::bigint AS records FROM read_v1.checkpoints")
        return int(row["records"])

    async def came_further(self, than: int) -> bool:
        """Whether more was projected than `than` records."""
        return await self.projected() > than


@pytest.fixture(scope="module")
async def log(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Log]:
    async with opened(tmp_path_factory.mktemp("stack"), Log) as log:
        yield log


def _is_ready(lifetime: Lifetime) -> bool:
    return not lifetime.problems()


def sentences(report: VerifyReport) -> str:
    return "\n".join(str(violation) for violation in report.violations)


async def test_what_was_appended_is_projected_and_verified_while_the_projector_runs(log: Log) -> None:
    async with log.projector() as lifetime:
        ids = await log.append(jobs=20)
        await log.caught_up()
        assert lifetime.problems() == {}
        report = await verify(log.settings)
    assert report.holds, sentences(report)
    assert (report.jobs, report.deliveries, report.open_jobs, report.hooks_due) == (20, 20, 0, 0)
    rows = await log.statement("SELECT status FROM read_v1.jobs WHERE job_id = ANY ($1)", ids)
    assert [row["status"] for row in rows] == ["completed"] * 20


async def test_a_projector_goes_on_where_the_last_one_stopped(log: Log) -> None:
    async with log.projector():
        await log.caught_up()
    await log.append(jobs=20)
    behind = await verify(log.settings)
    assert behind.holds, sentences(behind)
    async with log.projector():
        await log.caught_up()
    report = await verify(log.settings)
    assert report.holds, sentences(report)
    assert report.jobs == behind.jobs + 20


async def test_verify_and_a_rebuild_park_the_same_deliveries_as_the_projector(log: Log) -> None:
    (job_id,) = await log.append(jobs=1)
    await log.appender.append_raw(JOB_DELIVERIES, job_id.encode(), b"no event", [])
    again = WebhookDelivered(delivery_id="msg-1", phase="completed", attempt=2, status=200, duration_ms=3)
    await log.appender.append(JOB_DELIVERIES, fact(job_id, again, 10))
    async with log.projector():
        await log.caught_up()
    live = await verify(log.settings)
    assert live.holds, sentences(live)
    assert live.parked == 1
    assert len(await log.statement("SELECT 1 FROM read_v1.deliveries WHERE job_id = $1", job_id)) == 1
    await rebuild(log.settings)
    await log.statement("INSERT INTO read_v1.parked VALUES ('deliveries/expired', 0, -1)")
    rebuilt = await verify(log.settings)
    assert rebuilt.holds, sentences(rebuilt)
    assert (rebuilt.parked, rebuilt.deliveries) == (2, live.deliveries)


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


async def test_a_rebuilt_read_model_is_the_live_one(log: Log) -> None:
    await log.append(jobs=20)
    await log.append_batch(count=30, created=20)
    async with log.projector():
        await log.caught_up()
    live = await log.tables()
    await rebuild(log.settings)
    assert await log.tables() == live
    assert len(live["jobs"]) >= 50


async def test_there_is_one_rebuild_at_a_time(log: Log) -> None:
    results = await asyncio.gather(rebuild(log.settings), rebuild(log.settings), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["RebuildRunningError", "Rebuilt"]
    assert any(isinstance(result, RebuildRunningError) for result in results)


async def test_a_log_that_is_another_one_stops_the_projector_until_a_rebuild(log: Log) -> None:
    await log.append(jobs=5)
    async with log.projector():
        await log.caught_up()
    await log.statement("UPDATE read_v1.checkpoints SET last_ce_id = 'another' WHERE last_ce_id IS NOT NULL")
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(LogDivergedError, match="log diverged: rebuild"):
            await main(log.settings, Lifetime())
    await rebuild(log.settings)
    async with log.projector():
        await log.append(jobs=1)
        await log.caught_up()


async def test_without_postgres_the_projector_waits_and_then_goes_on_by_itself(log: Log) -> None:
    async with log.projector() as lifetime:
        await log.caught_up()
        await log.stack.stop_postgres()
        await log.append(jobs=10)
        await wait_until(lambda: "postgres_jobs" in lifetime.problems(), TIMEOUT_S, "the outage to be noticed")
        await log.stack.start_postgres()
        await log.caught_up()
        await wait_until(lambda: lifetime.problems() == {}, TIMEOUT_S, "the projector to be ready again")
    report = await verify(log.settings)
    assert report.holds, sentences(report)


async def test_a_projector_can_be_stopped_during_an_outage(log: Log) -> None:
    async with log.projector() as lifetime:
        await log.caught_up()
        await log.stack.stop_postgres()
        await log.append(jobs=1)
        await wait_until(lambda: "postgres_jobs" in lifetime.problems(), TIMEOUT_S, "the outage to be noticed")
    await log.stack.start_postgres()


async def test_projectors_cut_off_in_the_middle_lose_and_double_nothing(log: Log) -> None:
    async with log.projector():
        await log.append(jobs=1)
        await log.caught_up()
    for _ in range(3):
        lifetime, before = Lifetime(), await log.projected()
        task = asyncio.create_task(main(log.settings, lifetime))
        await log.append(jobs=1)
        # A client of aiokafka that is cut off while it connects leaves its connection open: all of them first.
        await wait_until(partial(log.came_further, before), TIMEOUT_S, "the projector to be at work")
        await wait_until(partial(_is_ready, lifetime), TIMEOUT_S, "all its readers to be at work")
        before = await log.projected()
        appending = asyncio.create_task(log.append(jobs=100))
        await wait_until(partial(log.came_further, before), TIMEOUT_S, "some of it to be projected")
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await appending
    async with log.projector():
        await log.caught_up()
    report = await verify(log.settings)
    assert report.holds, sentences(report)
