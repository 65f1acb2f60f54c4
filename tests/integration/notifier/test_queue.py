"""The queue among several receivers, processes and logs: real Postgres, real sockets, a log in memory."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from piperoll.clock import utc_now
from piperoll.log.continuity import LogDivergedError
from piperoll.log.contract import Reader
from piperoll.settings import Settings
from schemas.events import WebhookAbandoned, WebhookDelivered
from schemas.ids import draw_job_id
from schemas.topics import DEAD_LETTERS, JOB_DELIVERIES, JOB_EVENTS
from services.notifier.hooks.queue import SQL, HookQueue
from tests.support.servers.receiver import Receiver, hang, status
from tests.support.stacks.notifying import STARTED, MemoryLog, Rig, ago, running
from tests.support.waiting import wait_until

DAY_S = 86400


@pytest.fixture(scope="module")
def patient(environment: dict[str, str]) -> Settings:
    """Timeouts that no test waits for."""
    return Settings.from_environment(
        {
            **environment,
            "PIPEROLL_ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8",
            "PIPEROLL_INSTANCE": "one",
            "PIPEROLL_PROGRESS_TIMEOUT_S": "3600",
            "PIPEROLL_FINAL_TIMEOUT_S": "3600",
        }
    )


async def test_a_dead_receiver_does_not_slow_another(patient: Settings) -> None:
    async with running(patient) as rig, Receiver() as dead, Receiver() as alive:
        dead.answers("/hook", hang)
        stuck = [await rig.run_job(dead.url()) for _ in range(30)]
        delivered = [await rig.run_job(alive.url()) for _ in range(30)]
        for job_id in delivered:
            await rig.wait_for_state(job_id, "delivered")
        assert len(dead.received) <= patient.receiver_concurrency
        assert {await rig.state(job_id) for job_id in stuck} == {"open"}


async def test_a_refusing_receiver_is_probed_and_gets_everything_once_it_is_back(environment: dict[str, str]) -> None:
    settings = Settings.from_environment(
        {
            **environment,
            "PIPEROLL_ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8",
            "PIPEROLL_DELIVERY_SCHEDULE_S": ",".join(["0.2"] * 50),
        }
    )
    async with Receiver() as receiver, running(settings) as rig:
        receiver.answers("/hook", *[status(503)] * 6, status(200))
        jobs = [await rig.run_job(receiver.url()) for _ in range(20)]
        for job_id in jobs:
            await rig.wait_for_state(job_id, "delivered", timeout=30)
        assert len(receiver.received) == 26, "the pause of the receiver costs its other jobs no attempt"


async def test_claiming_among_100_000_due_rows_of_a_dead_receiver_reads_only_what_it_takes(patient: Settings) -> None:
    async with running(patient) as rig:
        await rig.pool.execute(
            """INSERT INTO notifier.queue (job_id, partition, owner, origin, url, job, final_phase, next_attempt_at)
            SELECT 'dead-' || n, 0, 'owner', 'http://192.0.2.1:80', 'http://192.0.2.1/', '{}', 'error', now()
            FROM generate_series(1, 100000) AS n"""
        )
        await rig.pool.execute(
            """INSERT INTO notifier.queue (job_id, partition, owner, origin, url, job, final_phase, next_attempt_at)
            VALUES ('alive', 0, 'owner', 'http://192.0.2.2:80', 'http://192.0.2.2/', '{}', 'error', now())"""
        )
        await rig.pool.execute("ANALYZE notifier.queue")
        async with rig.pool.acquire() as connection, connection.transaction():
            claim = await explain(connection, SQL["claim"], ["http://192.0.2.2:80"], [8], 60.0, "one")
            origins = await explain(connection, SQL["due_origins"])
            lease = await connection.fetchval("SELECT leased_until FROM notifier.queue WHERE job_id = 'alive'")
            outcome = (["alive"], [lease], ["delivered"], [1], [None], [False], [None])
            settle = await explain(connection, SQL["settle"], *outcome)
        for plan in (claim, origins, settle):
            assert "Seq Scan" not in json.dumps([node["Node Type"] for node in nodes(plan)])
            read = max(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in nodes(plan))
            assert read <= 8, "it must not read the dead receiver's rows"
        await rig.pool.execute("TRUNCATE notifier.queue")


async def test_what_a_killed_process_had_claimed_is_sent_when_its_lease_ends(patient: Settings) -> None:
    async with Receiver() as receiver, running(patient) as rig:
        job_id = draw_job_id()
        await queue_final_hook(rig, job_id, receiver, claimed_by="killed", lease_s=1.5)
        await rig.wait_for_state(job_id, "delivered")
        assert len(receiver.received) == 1


async def test_a_restarted_process_sends_at_once_what_it_had_claimed(patient: Settings) -> None:
    log = MemoryLog()
    async with Receiver() as receiver:
        async with running(patient, log) as rig:
            job_id = draw_job_id()
            await queue_final_hook(rig, job_id, receiver, claimed_by=patient.instance, lease_s=3600)
            assert not receiver.received
        async with running(patient, log, fresh=False) as rig:
            await rig.wait_for_state(job_id, "delivered", timeout=10)


async def test_two_processes_share_a_queue_and_send_each_hook_once(patient: Settings) -> None:
    log, other = MemoryLog(), patient.model_copy(update={"instance": "two"})
    async with Receiver() as receiver, running(patient, log) as one, running(other, log, fresh=False):
        jobs = [await one.run_job(receiver.url(), progress=1) for _ in range(50)]
        for job_id in jobs:
            await one.wait_for_state(job_id, "delivered")
        sent = [hook.headers["webhook-id"] for hook in receiver.received]
        assert len(sent) == len(set(sent)) == 100


async def test_a_lost_schema_sends_nothing_again_and_nothing_is_lost(patient: Settings) -> None:
    log = MemoryLog()
    async with Receiver() as receiver:
        async with running(patient, log) as rig:
            delivered = await rig.run_job(receiver.url())
            await rig.wait_for_deliveries(delivered, 1)
            waiting = draw_job_id()
            facts = (rig.created(waiting, receiver.url()), STARTED, rig.completed(waiting))
            await rig.append(waiting, *facts, deliver=False)
        async with running(patient, log) as rig:
            await rig.wait_for_state(waiting, "delivered")
            assert await rig.state(delivered) == "delivered"
        jobs = [hook.json["process"]["id"] for hook in receiver.received]
        assert sorted(jobs) == sorted([delivered, waiting])


async def test_an_end_first_seen_a_day_late_is_held_and_this_is_recorded(patient: Settings) -> None:
    async with Receiver() as receiver, running(patient, MemoryLog(clock=ago(DAY_S + 60))) as rig:
        job_id = await rig.run_job(receiver.url(), progress=2)
        await rig.wait_for_state(job_id, "held")
        (fact,) = await rig.wait_for_deliveries(job_id, 1)
        assert isinstance(fact, WebhookAbandoned)
        assert (fact.phase, fact.reason, fact.attempt) == ("completed", "TOO_OLD", 0)
        assert not receiver.received


async def test_content_that_the_store_cannot_read_now_costs_no_attempt(patient: Settings) -> None:
    async with Receiver() as receiver, running(patient) as rig:
        job_id = draw_job_id()
        completed = rig.completed(job_id)
        with unreadable(Path(f"{rig.blobs.root}/{job_id}/run")):
            await rig.append(job_id, rig.created(job_id, receiver.url()), STARTED, completed)
            await wait_until(lambda: put_off(rig, job_id), 20, "the attempt to be put off")
        (fact,) = await rig.wait_for_deliveries(job_id, 1)
        assert isinstance(fact, WebhookDelivered)
        assert fact.attempt == 1


async def test_records_that_are_handed_over_twice_count_once(patient: Settings) -> None:
    async with Receiver() as receiver, running(patient) as rig:
        job_id = await rig.run_job(receiver.url())
        await rig.wait_for_state(job_id, "delivered")
        before = await rig.row(job_id)
        end = await rig.log.end_offsets(JOB_EVENTS)
        for part in end:
            records = await rig.log.read_range(JOB_EVENTS, {part: 0}, end)
            if records:
                await rig.notifier.job_events.handle(part, records)
        assert await rig.row(job_id) == before


async def test_an_undecodable_record_and_all_after_it_go_to_the_dead_letters(patient: Settings) -> None:
    async with Receiver() as receiver, running(patient) as rig:
        job_id = draw_job_id()
        await rig.append(job_id, rig.created(job_id, receiver.url()))
        await rig.log.append_raw(JOB_EVENTS, job_id.encode(), b"?", [("ce_type", b"piperoll.JobStarted.v1")])
        await rig.append(job_id, STARTED, rig.completed(job_id))
        other = await rig.run_job(receiver.url())
        await rig.wait_for_state(other, "delivered")
        assert await rig.state(job_id) == "open"
        parked = await rig.log.read_range(
            DEAD_LETTERS, dict.fromkeys(range(rig.log.partitions), 0), await rig.log.end_offsets(DEAD_LETTERS)
        )
        assert [record.key for record in parked] == [job_id.encode()] * 3
        assert len(receiver.received) == 1


@pytest.mark.parametrize("topic", [JOB_EVENTS, JOB_DELIVERIES])
async def test_a_queue_of_another_log_is_refused(patient: Settings, topic: object) -> None:
    async with Receiver() as receiver:
        async with running(patient) as rig:
            job_id = await rig.run_job(receiver.url())
            await rig.wait_for_deliveries(job_id, 1)
            await rig.log.deliver()
        async with running(patient, MemoryLog(), fresh=True) as rig:
            await rig.pool.execute("UPDATE notifier.checkpoints SET next_offset = 7")
            reader: Reader = rig.notifier.job_events if topic is JOB_EVENTS else rig.notifier.deliveries
            with pytest.raises(LogDivergedError, match="belongs to another log"):
                await reader.assigned({0})


async def test_rows_are_given_up_when_their_schedule_has_passed_and_removed_after_a_month(patient: Settings) -> None:
    async with running(patient) as rig:
        await rig.pool.execute(
            """INSERT INTO notifier.queue
                (job_id, partition, owner, origin, url, final_phase, final_at, state, next_attempt_at, seen_at)
            VALUES ('given-up', 0, 'o', 'http://x:1', 'http://x:1', 'error', now() - interval '9 days', 'open',
                    now() + interval '1 hour', now()),
                   ('delivered', 0, 'o', 'http://x:1', 'http://x:1', 'error', now(), 'delivered', NULL,
                    now() - interval '31 days'),
                   ('open', 0, 'o', 'http://x:1', 'http://x:1', NULL, NULL, 'open', NULL,
                    now() - interval '31 days')"""
        )
        await rig.notifier.sweep.give_up()
        await rig.notifier.sweep.remove_old()
        (fact,) = await rig.wait_for_deliveries("given-up", 1)
        assert isinstance(fact, WebhookAbandoned)
        assert fact.reason == "EXHAUSTED"
        assert await rig.state("delivered") is None
        assert await rig.state("open") == "open"


@contextmanager
def unreadable(folder: Path) -> Iterator[None]:
    """A file where a folder should be: an error of the store that is not "missing"."""
    kept = folder.rename(f"{folder}.kept")
    folder.touch()
    yield
    folder.unlink()
    kept.rename(folder)


async def put_off(rig: Rig, job_id: str) -> bool:
    """Whether the hook was claimed and put off without being charged."""
    row = await rig.row(job_id)
    if row is None or row["leased_by"] is None or row["next_attempt_at"] is None:
        return False
    return bool(row["next_attempt_at"] > utc_now() and row["attempts"] == 0)


async def queue_final_hook(rig: Rig, job_id: str, receiver: Receiver, *, claimed_by: str, lease_s: float) -> None:
    """A due hook that another process claims before this one can, and never settles."""
    origin = receiver.origin
    job = {"job_id": job_id, "owner": "owner", "status": "failed", "error_code": "CANCELLED", "job_type": "pdf"}
    times = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
    async with rig.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            """INSERT INTO notifier.queue (job_id, partition, owner, origin, url, client_id, job, final_phase, final_at,
                next_attempt_at, leased_until, leased_by)
            VALUES ($1, 0, 'owner', $2, $3, $1, $4, 'error', now(), now(), now() + make_interval(secs => $5), $6)""",
            job_id,
            origin,
            receiver.url(),
            json.dumps({**job, **times}),
            lease_s,
            claimed_by,
        )
    rows = await HookQueue(rig.pool, "third").claim({origin: 8}, 60)
    assert rows == [], "a leased row belongs to one process"


async def explain(connection: object, statement: str, *arguments: object) -> dict[str, object]:
    """The plan of a statement as it ran."""
    text = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *arguments)  # type: ignore[attr-defined]
    return json.loads(text)[0]["Plan"]  # type: ignore[no-any-return]


def nodes(plan: dict[str, object]) -> list[dict[str, object]]:
    """All nodes of a plan."""
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]  # type: ignore[attr-defined]
