"""`piperoll redeliver`, `topics`, `verify`, `rebuild` and `doctor` against a running system."""

from pathlib import Path

import asyncpg

from tests.support.clients.commands import piperoll
from tests.support.servers.receiver import Receiver, status
from tests.support.stacks.system import System
from tests.support.waiting import wait_until


async def test_abandoned_webhooks_are_counted_and_sent_again_on_request(system: System, folder: Path) -> None:
    async with Receiver() as receiver:
        receiver.answers("/hook", status(410))
        await system.create(webhook={"url": receiver.url()})
        command = ("redeliver", "--origin", receiver.origin, "--since", "2020-01-01T00:00:00Z")

        async def given_up() -> bool:
            return "1 can be sent again" in (await piperoll(*command, folder=folder)).out

        await wait_until(given_up, 60, "the webhook to be given up")
        receiver.answers("/hook", status(200))
        before = len(receiver.received)
        sent = await piperoll(*command, "--yes", folder=folder)
        assert (sent.code, "redelivery of 1 requested" in sent.out) == (0, True), sent
        await receiver.wait_for(lambda r: len(r.received) == before + 1)
        assert "none was held or given up" in (await piperoll(*command, folder=folder)).out
    wrong = await piperoll("redeliver", "--origin", "nowhere", "--since", "2020-01-01T00:00:00Z", folder=folder)
    assert wrong.code == 1
    assert "https://example.com" in wrong.err


async def test_topics_are_checked_and_described(system: System, folder: Path) -> None:
    checked = await piperoll("topics", "check", folder=folder)
    made = await piperoll("topics", "create", folder=folder)
    described = await piperoll("topics", "describe", folder=folder)

    assert [one.code for one in (checked, made, described)] == [0, 0, 0]
    assert "piperoll.jobs.events.v1" in described.out
    assert "for ever" in described.out


async def test_a_drifted_topic_fails_the_check_and_the_doctor(system: System) -> None:
    drifted = {**system.stack.environment, "PIPEROLL_PARTITIONS": "7"}

    checked = await piperoll("topics", "check", folder=None, **drifted)
    examined = await piperoll("doctor", folder=None, **drifted)

    assert (checked.code, examined.code) == (1, 1)
    assert "PIPEROLL_PARTITIONS is 7" in checked.err
    assert "PIPEROLL_PARTITIONS is 7" in examined.out


async def test_verify_holds_before_and_after_a_rebuild(system: System, folder: Path) -> None:
    job_id = await system.create()
    await system.wait_for_end(job_id)

    before = await piperoll("verify", folder=folder)
    rebuilt = await piperoll("rebuild", folder=folder)
    after = await piperoll("verify", folder=folder)

    assert [one.code for one in (before, rebuilt, after)] == [0, 0, 0], (before, rebuilt, after)
    assert "holds" in after.out
    assert (await system.job(job_id))["status"] == "completed"


async def test_verify_shows_the_history_of_a_job_whose_row_is_wrong(system: System, folder: Path) -> None:
    job_id = await system.create()
    await system.wait_for_end(job_id)
    connection = await asyncpg.connect(system.settings.postgres_dsn.get_secret_value())
    try:
        await connection.execute("UPDATE read_v1.jobs SET status = 'failed' WHERE job_id = $1", job_id)
        wrong = await piperoll("verify", folder=folder)
        await connection.execute("UPDATE read_v1.jobs SET status = 'completed' WHERE job_id = $1", job_id)
    finally:
        await connection.close()
    mended = await piperoll("verify", folder=folder)

    assert (wrong.code, mended.code) == (1, 0), (wrong, mended)
    assert job_id in wrong.err
    for event in ("JobCreated", "JobStarted", "JobCompleted"):
        assert f"  {event}" in wrong.out


async def test_verify_that_cannot_run_ends_with_2() -> None:
    nowhere = {"PIPEROLL_KAFKA_BOOTSTRAP": "127.0.0.1:1", "PIPEROLL_POSTGRES_DSN": "postgresql://x@127.0.0.1:1/x"}

    done = await piperoll("verify", folder=None, **nowhere)

    assert done.code == 2
    assert "Traceback" not in done.err


async def test_the_doctor_names_what_is_wrong(system: System, folder: Path) -> None:
    sound = await piperoll("doctor", folder=folder)
    nowhere = {"PIPEROLL_KAFKA_BOOTSTRAP": "127.0.0.1:1", "PIPEROLL_POSTGRES_DSN": "postgresql://x@127.0.0.1:1/x"}
    broken = await piperoll("doctor", folder=None, **nowhere, PIPEROLL_FILES_ROOTS="/", PIPEROLL_API_PORT="1")

    assert (sound.code, broken.code) == (0, 1), sound
    assert "PIPEROLL_ENABLE_NOOP" in sound.out
    failed = {line.split()[1] for line in broken.out.splitlines() if line.strip().startswith("fail")}
    assert {"Kafka", "Postgres", "files", "secrets", "API"} <= failed


async def test_a_sweep_shows_what_it_would_delete_and_deletes_nothing_that_a_job_needs(
    system: System, folder: Path
) -> None:
    job_id = await system.create()
    await system.wait_for_end(job_id)

    shown = await piperoll("sweep", "--dry-run", folder=folder)
    swept = await piperoll("sweep", folder=folder)

    assert (shown.code, swept.code) == (0, 0), (shown, swept)
    assert "blobs that a sweep decides about" in shown.out
    assert "deleted" in swept.out
    assert (await system.client.get(f"/api/jobs/{job_id}")).json()["data"]["results"]
