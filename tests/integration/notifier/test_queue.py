"""The queue among several receivers: real Postgres, real sockets, a log in memory."""

import json

from structlog.testing import capture_logs

from piperoll.settings import Settings
from services.notifier import metrics
from services.notifier.hooks.queue import SQL
from tests.support.notifier.plans import explain, nodes
from tests.support.servers.receiver import Receiver, hang, status
from tests.support.stacks.notifying import running


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
    """In one transaction that is rolled back, so that the notifier does not see the rows."""
    async with running(patient) as rig, rig.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            """INSERT INTO notifier.queue (job_id, partition, owner, origin, url, job, final_phase, next_attempt_at)
            SELECT 'dead-' || n, 0, 'owner', 'http://192.0.2.1:80', 'http://192.0.2.1/', '{}', 'error', now()
            FROM generate_series(1, 100000) AS n"""
        )
        await connection.execute(
            """INSERT INTO notifier.queue (job_id, partition, owner, origin, url, job, final_phase, next_attempt_at)
            VALUES ('alive', 0, 'owner', 'http://192.0.2.2:80', 'http://192.0.2.2/', '{}', 'error', now())"""
        )
        await connection.execute("ANALYZE notifier.queue")
        claim = await explain(connection, SQL["claim"], ["owner"], ["http://192.0.2.2:80"], [8], 60.0, "one")
        origins = await explain(connection, SQL["due_receivers"], [], [], 500)
        lease = await connection.fetchval("SELECT leased_until FROM notifier.queue WHERE job_id = 'alive'")
        outcome = (["alive"], [lease], ["delivered"], [1], [None], [False], [None])
        settle = await explain(connection, SQL["settle"], *outcome)
        await transaction.rollback()
    for plan in (claim, origins, settle):
        assert "Seq Scan" not in json.dumps([node["Node Type"] for node in nodes(plan)])
        read = max(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in nodes(plan))
        assert read <= 8, "it must not read the dead receiver's rows"


async def test_a_look_finds_a_bounded_number_of_receivers_of_each_owner_and_the_next_one_the_following(
    patient: Settings,
) -> None:
    async with running(patient) as rig, rig.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            """INSERT INTO notifier.queue (job_id, partition, owner, origin, url, job, final_phase, next_attempt_at)
            SELECT owner || row, 0, owner, 'http://192.0.2.' || row % rows || ':80', 'http://x/', '{}', 'error', now()
            FROM (VALUES ('greedy', 5), ('modest', 1)) AS given(owner, rows), generate_series(0, 9) AS row"""
        )
        looks = [
            [(row["owner"], row["origin"]) for row in await connection.fetch(SQL["due_receivers"], *after, 2)]
            for after in ([[], []], [["greedy"], ["http://192.0.2.1:80"]], [["greedy"], ["http://192.0.2.3:80"]])
        ]
        await transaction.rollback()
    modest = ("modest", "http://192.0.2.0:80")
    found = [[("greedy", f"http://192.0.2.{number}:80") for number in some] for some in ([0, 1], [2, 3], [4])]
    assert looks == [[*some, modest] for some in found]


async def test_a_final_hook_that_would_never_be_due_is_counted_and_named(patient: Settings) -> None:
    async with running(patient) as rig, Receiver() as receiver:
        job_id = await rig.run_job(receiver.url())
        await rig.wait_for_state(job_id, "delivered")
        await rig.notifier.sweep.measure()
        assert metrics.UNACCOUNTED._value.get() == 0
        await rig.pool.execute("UPDATE notifier.queue SET state = 'open', next_attempt_at = NULL")  # the fault
        with capture_logs() as lines:
            await rig.notifier.sweep.measure()
        assert metrics.UNACCOUNTED._value.get() == 1
        assert [line["job_ids"] for line in lines if line["event"] == "hooks_unaccounted"] == [[job_id]]
