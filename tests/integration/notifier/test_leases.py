"""Hooks that a process has claimed: killed, restarted, two processes."""

import json

from piperoll.settings import Settings
from schemas.ids import draw_job_id
from services.notifier.delivery.due_receivers import ReceiverKey
from services.notifier.hooks.queue import HookQueue
from tests.support.servers.receiver import Receiver
from tests.support.stacks.notifying import MemoryLog, Rig, running


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
    rows = await HookQueue(rig.pool, "third").claim({ReceiverKey("owner", origin): 8}, 60)
    assert rows == [], "a leased row belongs to one process"
