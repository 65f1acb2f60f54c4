"""Redeliveries: what is sent and what the log records. Real Postgres and sockets."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from piperoll.log.record import Record
from piperoll.settings import Settings
from piperoll.webhooks.origins import digest_of
from schemas.envelope import Fact
from schemas.events import (
    Event,
    JobErased,
    WebhookAbandoned,
    WebhookDelivered,
    WebhookFailed,
    WebhookRedeliveryRequested,
)
from schemas.ids import delivery_id, draw_job_id, event_id
from schemas.topics import JOB_DELIVERIES
from tests.support.servers.receiver import Receiver, status
from tests.support.stacks.notifying import STARTED, MemoryLog, Rig, ago, running

DAY_S = 86400


@pytest.fixture(scope="module")
def quick(environment: dict[str, str]) -> Settings:
    """A short schedule."""
    return Settings.from_environment(
        {
            **environment,
            "PIPEROLL_ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8",
            "PIPEROLL_DELIVERY_SCHEDULE_S": "0,0.1",
            "PIPEROLL_INSTANCE": "one",
        }
    )


async def ask(rig: Rig, job_id: str, request: str, *, deliver: bool = True) -> None:
    """Asks for a job's final hook, as the API does."""
    final = delivery_id(job_id, "final")
    data = WebhookRedeliveryRequested(request=request, delivery_id=final, phase="completed", by="owner")
    fact_id = event_id(request, type(data).__name__)
    await rig.log.append(JOB_DELIVERIES, Fact(fact_id, job_id, "owner", datetime.now(UTC), "api", data))
    if deliver:
        await rig.log.deliver()


async def settled(rig: Rig, job_id: str, *kinds: type[Event]) -> list[Event]:
    """The facts about a job's deliveries, once they are these and the notifier has read them itself."""
    facts = await rig.wait_for_deliveries(job_id, len(kinds))
    assert [type(fact) for fact in facts] == list(kinds)
    await rig.log.deliver()
    return facts


def requests_of(facts: Sequence[Event]) -> list[str | None]:
    return [fact.request for fact in facts]  # type: ignore[attr-defined]


async def test_an_abandoned_hook_is_sent_again_under_its_id_and_without_progress(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        receiver.answers("/hook", status(200), status(410), status(200))
        job_id = await rig.run_job(receiver.url(), progress=3)
        _, gone = await settled(rig, job_id, WebhookDelivered, WebhookAbandoned)
        assert isinstance(gone, WebhookAbandoned)
        assert (gone.reason, gone.origin_sha256, gone.request) == ("GONE", digest_of(receiver.origin), None)
        await ask(rig, job_id, "again")
        facts = await settled(
            rig, job_id, WebhookDelivered, WebhookAbandoned, WebhookRedeliveryRequested, WebhookDelivered
        )
        assert requests_of(facts) == [None, None, "again", "again"]
        assert isinstance(facts[-1], WebhookDelivered)
        assert facts[-1].attempt == 2, "attempts are counted on"
        assert [hook.json["phase"] for hook in receiver.received] == ["processing", "completed", "completed"]
        assert receiver.received[1].headers["webhook-id"] == receiver.received[2].headers["webhook-id"]
        assert receiver.received[1].body == receiver.received[2].body
        assert await rig.state(job_id) == "delivered"


async def test_a_delivered_hook_is_sent_as_often_as_it_is_asked_for(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        job_id = await rig.run_job(receiver.url())
        expected: list[type[Event]] = [WebhookDelivered]
        await settled(rig, job_id, *expected)
        for request in ("first", "second"):
            await ask(rig, job_id, request)
            expected += [WebhookRedeliveryRequested, WebhookDelivered]
            facts = await settled(rig, job_id, *expected)
            assert requests_of(facts[-2:]) == [request, request]
        assert len(receiver.received) == 3


async def test_a_hook_that_was_held_is_sent_when_it_is_asked_for_however_old(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick, MemoryLog(clock=ago(DAY_S + 60))) as rig:
        job_id = await rig.run_job(receiver.url(), progress=2)
        (held,) = await settled(rig, job_id, WebhookAbandoned)
        assert isinstance(held, WebhookAbandoned)
        assert (held.reason, held.origin_sha256) == ("TOO_OLD", digest_of(receiver.origin))
        await ask(rig, job_id, "again")
        await settled(rig, job_id, WebhookAbandoned, WebhookRedeliveryRequested, WebhookDelivered)
        assert [hook.json["phase"] for hook in receiver.received] == ["completed"]


async def test_a_redelivery_has_the_whole_schedule_and_its_end_is_recorded_again(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        receiver.answers("/hook", status(500))
        job_id = await rig.run_job(receiver.url())
        life: list[type[Event]] = [WebhookFailed, WebhookFailed, WebhookAbandoned]
        await settled(rig, job_id, *life)
        await ask(rig, job_id, "again")
        facts = await settled(rig, job_id, *life, WebhookRedeliveryRequested, *life)
        assert [fact.attempt for fact in facts if isinstance(fact, WebhookFailed)] == [1, 2, 3, 4]
        assert requests_of(facts[3:]) == ["again"] * 4
        last = facts[-1]
        assert isinstance(last, WebhookAbandoned)
        assert (last.reason, last.attempt) == ("EXHAUSTED", 4)
        end = await rig.log.end_offsets(JOB_DELIVERIES)
        records = await rig.log.read_range(JOB_DELIVERIES, dict.fromkeys(end, 0), end)
        ids = [record.ce_id for record in records if record.fact().subject == job_id]
        assert len(set(ids)) == len(ids) == 7


async def test_a_request_that_is_read_twice_is_answered_once(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        job_id = await rig.run_job(receiver.url())
        await settled(rig, job_id, WebhookDelivered)
        await ask(rig, job_id, "again", deliver=False)
        await ask(rig, job_id, "again")
        answered = (WebhookDelivered, WebhookRedeliveryRequested, WebhookRedeliveryRequested, WebhookDelivered)
        await settled(rig, job_id, *answered)
        await ask(rig, job_id, "again")
        end = await rig.log.end_offsets(JOB_DELIVERIES)
        for part in end:
            records = await rig.log.read_range(JOB_DELIVERIES, {part: 0}, end)
            if records:
                await rig.notifier.deliveries.handle(part, records)
        assert await rig.state(job_id) == "delivered"
        assert len(receiver.received) == 2


async def test_an_outcome_that_the_relay_appends_again_does_not_end_a_redelivery(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
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
async def test_after_a_lost_schema_only_what_was_not_answered_is_sent(quick: Settings, intake_first: bool) -> None:
    log = MemoryLog(clock=ago(DAY_S + 60))
    async with Receiver() as receiver:
        async with running(quick, log) as rig:
            answered, waiting = [await rig.run_job(receiver.url(), progress=1) for _ in range(2)]
            for job_id in (answered, waiting):
                await settled(rig, job_id, WebhookAbandoned)
            await ask(rig, answered, "first")
            await settled(rig, answered, WebhookAbandoned, WebhookRedeliveryRequested, WebhookDelivered)
            await ask(rig, waiting, "second", deliver=False)
        assert len(receiver.received) == 1
        async with running(quick, log, intake_first=intake_first) as rig:
            await settled(rig, waiting, WebhookAbandoned, WebhookRedeliveryRequested, WebhookDelivered)
            assert await rig.state(answered) == "delivered"
            await ask(rig, answered, "third")
            await rig.wait_for_deliveries(answered, 5)
        sent = [hook.json["process"]["id"] for hook in receiver.received]
        assert sent == [answered, waiting, answered]
        assert {hook.json["phase"] for hook in receiver.received} == {"completed"}


async def test_two_processes_answer_a_request_once(quick: Settings) -> None:
    log, other = MemoryLog(), quick.model_copy(update={"instance": "two"})
    async with Receiver() as receiver, running(quick, log) as one, running(other, log, fresh=False):
        jobs = [await one.run_job(receiver.url()) for _ in range(20)]
        for job_id in jobs:
            await settled(one, job_id, WebhookDelivered)
        for job_id in jobs:
            await ask(one, job_id, f"again-{job_id}")
        for job_id in jobs:
            await settled(one, job_id, WebhookDelivered, WebhookRedeliveryRequested, WebhookDelivered)
        assert len(receiver.received) == 40


async def test_a_redelivery_whose_job_was_erased_is_abandoned_and_this_is_recorded(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        job_id = await rig.run_job(receiver.url())
        await settled(rig, job_id, WebhookDelivered)
        await rig.append(job_id, JobErased(by="owner"))
        await ask(rig, job_id, "again")
        facts = await settled(rig, job_id, WebhookDelivered, WebhookRedeliveryRequested, WebhookAbandoned)
        assert isinstance(facts[-1], WebhookAbandoned)
        assert (facts[-1].reason, facts[-1].phase, facts[-1].request) == ("ERASED", "completed", "again")
        assert len(receiver.received) == 1


async def test_a_redelivery_of_a_job_that_is_forgotten_is_abandoned_and_this_is_recorded(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        job_id = await rig.run_job(receiver.url())
        await settled(rig, job_id, WebhookDelivered)
        await rig.pool.execute("DELETE FROM notifier.queue WHERE job_id = $1", job_id)
        await ask(rig, job_id, "again")
        facts = await settled(rig, job_id, WebhookDelivered, WebhookRedeliveryRequested, WebhookAbandoned)
        assert isinstance(facts[-1], WebhookAbandoned)
        assert (facts[-1].reason, facts[-1].phase, facts[-1].attempt) == ("FORGOTTEN", "completed", 0)


async def test_a_redelivery_of_a_job_that_the_intake_has_not_read_yet_waits_for_it(quick: Settings) -> None:
    log = MemoryLog()
    async with Receiver() as receiver, running(quick, log) as rig:
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


async def test_a_redelivery_is_given_up_by_the_time_of_its_request_and_not_of_the_job_s_end(quick: Settings) -> None:
    async with running(quick) as rig:
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


async def test_a_queue_of_an_earlier_release_gets_what_redelivery_needs(quick: Settings) -> None:
    log = MemoryLog()
    async with Receiver() as receiver:
        async with running(quick, log) as rig:
            job_id = await rig.run_job(receiver.url())
            await settled(rig, job_id, WebhookDelivered)
            await rig.pool.execute(
                """ALTER TABLE notifier.queue DROP COLUMN request, DROP COLUMN request_phase,
                    DROP COLUMN attempts_before, DROP COLUMN reopened_at"""
            )
        async with running(quick, log, fresh=False) as rig:
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
