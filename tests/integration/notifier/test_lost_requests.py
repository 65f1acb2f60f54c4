"""Redeliveries that meet faults: repeated outcomes, lost tables, erased jobs."""

import pytest

from piperoll.log.record import Record
from piperoll.settings import Settings
from schemas.events import (
    JobErased,
    WebhookAbandoned,
    WebhookDelivered,
    WebhookRedeliveryRequested,
)
from schemas.ids import draw_job_id
from schemas.topics import JOB_DELIVERIES
from tests.support.notifier.redelivering import DAY_S, ask, settled
from tests.support.servers.receiver import Receiver, status
from tests.support.stacks.notifying import STARTED, MemoryLog, Rig, ago, running


async def test_an_outcome_that_the_relay_appends_again_does_not_end_a_redelivery(two_attempts: Settings) -> None:
    async with Receiver() as receiver, running(two_attempts) as rig:
        receiver.answers("/hook", status(410), status(500), status(200))
        job_id = await rig.run_job(receiver.url())
        await settled(rig, job_id, WebhookAbandoned)
        gone = await record_of(rig, job_id)
        await ask(rig, job_id, "again", deliver=False)
        await rig.log.append_raw(JOB_DELIVERIES, gone.key, gone.value, gone.headers)
        await rig.log.deliver()
        facts = await rig.wait_for_deliveries(job_id, 5)
        assert isinstance(facts[-1], WebhookDelivered)
        assert facts[-1].request == "again"


@pytest.mark.parametrize("intake_first", [False, True])
async def test_after_a_lost_schema_only_what_was_not_answered_is_sent(
    two_attempts: Settings, intake_first: bool
) -> None:
    log = MemoryLog(clock=ago(DAY_S + 60))
    async with Receiver() as receiver:
        async with running(two_attempts, log) as rig:
            answered, waiting = [await rig.run_job(receiver.url(), progress=1) for _ in range(2)]
            for job_id in (answered, waiting):
                await settled(rig, job_id, WebhookAbandoned)
            await ask(rig, answered, "first")
            await settled(rig, answered, WebhookAbandoned, WebhookRedeliveryRequested, WebhookDelivered)
            await ask(rig, waiting, "second", deliver=False)
        assert len(receiver.received) == 1
        async with running(two_attempts, log, intake_first=intake_first) as rig:
            await settled(rig, waiting, WebhookAbandoned, WebhookRedeliveryRequested, WebhookDelivered)
            assert await rig.state(answered) == "delivered"
            await ask(rig, answered, "third")
            await rig.wait_for_deliveries(answered, 5)
        sent = [hook.json["process"]["id"] for hook in receiver.received]
        assert sent == [answered, waiting, answered]
        assert {hook.json["phase"] for hook in receiver.received} == {"completed"}


async def test_two_processes_answer_a_request_once(two_attempts: Settings) -> None:
    log, other = MemoryLog(), two_attempts.model_copy(update={"instance": "two"})
    async with Receiver() as receiver, running(two_attempts, log) as one, running(other, log, fresh=False):
        jobs = [await one.run_job(receiver.url()) for _ in range(20)]
        for job_id in jobs:
            await settled(one, job_id, WebhookDelivered)
        for job_id in jobs:
            await ask(one, job_id, f"again-{job_id}")
        for job_id in jobs:
            await settled(one, job_id, WebhookDelivered, WebhookRedeliveryRequested, WebhookDelivered)
        assert len(receiver.received) == 40


async def test_a_redelivery_whose_job_was_erased_is_abandoned_and_this_is_recorded(two_attempts: Settings) -> None:
    async with Receiver() as receiver, running(two_attempts) as rig:
        job_id = await rig.run_job(receiver.url())
        await settled(rig, job_id, WebhookDelivered)
        await rig.append(job_id, JobErased(by="owner"))
        await ask(rig, job_id, "again")
        facts = await settled(rig, job_id, WebhookDelivered, WebhookRedeliveryRequested, WebhookAbandoned)
        assert isinstance(facts[-1], WebhookAbandoned)
        assert (facts[-1].reason, facts[-1].phase, facts[-1].request) == ("ERASED", "completed", "again")
        assert len(receiver.received) == 1


async def test_a_redelivery_of_a_job_that_is_forgotten_is_abandoned_and_this_is_recorded(
    two_attempts: Settings,
) -> None:
    async with Receiver() as receiver, running(two_attempts) as rig:
        job_id = await rig.run_job(receiver.url())
        await settled(rig, job_id, WebhookDelivered)
        await rig.pool.execute("DELETE FROM notifier.queue WHERE job_id = $1", job_id)
        await ask(rig, job_id, "again")
        facts = await settled(rig, job_id, WebhookDelivered, WebhookRedeliveryRequested, WebhookAbandoned)
        assert isinstance(facts[-1], WebhookAbandoned)
        assert (facts[-1].reason, facts[-1].phase, facts[-1].attempt) == ("FORGOTTEN", "completed", 0)


async def test_a_redelivery_of_a_job_that_the_intake_has_not_read_yet_waits_for_it(two_attempts: Settings) -> None:
    log = MemoryLog()
    async with Receiver() as receiver, running(two_attempts, log) as rig:
        job_id = draw_job_id()
        facts = (rig.created(job_id, receiver.url()), STARTED, rig.completed(job_id))
        await rig.append(job_id, *facts, deliver=False)
        await ask(rig, job_id, "again", deliver=False)
        part = await deliver_only_deliveries(rig)
        await rig.notifier.sweep.hold_late()
        await rig.notifier.sweep.unroutable.abandon()
        row = await rig.row(job_id)
        assert row is not None
        assert (row["state"], row["request"], row["partition"]) == ("open", "again", part)
        await rig.log.deliver()
        await settled(rig, job_id, WebhookRedeliveryRequested, WebhookDelivered)


async def test_a_redelivery_is_given_up_by_the_time_of_its_request_and_not_of_the_job_s_end(
    two_attempts: Settings,
) -> None:
    async with running(two_attempts) as rig:
        await rig.pool.execute(
            """INSERT INTO notifier.queue
                (job_id, partition, owner, origin, url, final_phase, final_at, next_attempt_at, request, reopened_at)
            VALUES ('asked', 0, 'o', 'http://x:1', 'http://x:1', 'error', now() - interval '9 days',
                    now() + interval '1 hour', 'a', now()),
                   ('passed', 0, 'o', 'http://x:1', 'http://x:1', 'error', now() - interval '20 days',
                    now() + interval '1 hour', 'b', now() - interval '9 days')"""
        )
        await rig.notifier.sweep.give_up()
        (fact,) = await rig.wait_for_deliveries("passed", 1)
        assert isinstance(fact, WebhookAbandoned)
        assert (fact.reason, fact.request) == ("EXHAUSTED", "b")
        assert await rig.state("asked") == "open"


async def test_a_queue_of_an_earlier_release_gets_what_redelivery_needs(two_attempts: Settings) -> None:
    log = MemoryLog()
    async with Receiver() as receiver:
        async with running(two_attempts, log) as rig:
            job_id = await rig.run_job(receiver.url())
            await settled(rig, job_id, WebhookDelivered)
            await rig.pool.execute(
                """DROP VIEW notifier.failing_receivers;
                ALTER TABLE notifier.queue DROP COLUMN request, DROP COLUMN request_phase,
                    DROP COLUMN attempts_before, DROP COLUMN reopened_at"""
            )
        async with running(two_attempts, log, fresh=False) as rig:
            await ask(rig, job_id, "again")
            await settled(rig, job_id, WebhookDelivered, WebhookRedeliveryRequested, WebhookDelivered)


async def record_of(rig: Rig, job_id: str) -> Record:
    """The first record about a job's deliveries."""
    end = await rig.log.end_offsets(JOB_DELIVERIES)
    records = await rig.log.read_range(JOB_DELIVERIES, dict.fromkeys(end, 0), end)
    return next(record for record in records if record.fact().subject == job_id)


async def deliver_only_deliveries(rig: Rig) -> int:
    """Hands the deliveries over while the job events wait; answers the partition they stand in."""
    end = await rig.log.end_offsets(JOB_DELIVERIES)
    records = await rig.log.read_range(JOB_DELIVERIES, dict.fromkeys(end, 0), end)
    await rig.notifier.deliveries.handle(records[0].partition, records)
    return records[0].partition
