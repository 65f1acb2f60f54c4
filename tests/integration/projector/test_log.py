"""The projector beside a real log: restarts and the findings of `verify`."""

from schemas.events import WebhookDelivered
from schemas.topics import JOB_DELIVERIES
from services.projector.rebuild import rebuild
from services.projector.verify.run import verify
from tests.support.histories.jobs import fact
from tests.support.projector.running import Log, sentences
from tests.support.stacks.projected import TIMEOUT_S
from tests.support.waiting import wait_until


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


async def test_deliveries_that_the_log_no_longer_keeps_leave_the_tables_as_in_a_rebuild(log: Log) -> None:
    """Such rows are imitated by offsets before the beginning of the topic."""
    async with log.projector():
        await log.append(jobs=2)
        await log.caught_up()
    old = "INSERT INTO read_v1.deliveries SELECT 'old', 0, -n, 'piperoll.WebhookDelivered.v1', now(), '{}', 'old-' || n"
    await log.statement(f"{old} FROM generate_series(1, 3) n")

    async def expired() -> bool:
        return not await log.statement("SELECT 1 FROM read_v1.deliveries WHERE job_id = 'old'")

    assert not await expired()
    before = await log.statement("SELECT 1 FROM read_v1.deliveries WHERE log_offset >= 0")
    async with log.projector():
        await wait_until(expired, TIMEOUT_S, "the old rows to be deleted")
    assert await log.statement("SELECT 1 FROM read_v1.deliveries WHERE log_offset >= 0") == before
