"""Redeliveries: what is sent and what the log records. Real Postgres and sockets."""

from collections.abc import Sequence

from piperoll.settings import Settings
from piperoll.webhooks.origins import digest_of
from schemas.events import (
    Event,
    WebhookAbandoned,
    WebhookDelivered,
    WebhookFailed,
    WebhookRedeliveryRequested,
)
from schemas.topics import JOB_DELIVERIES
from tests.support.notifier.redelivering import DAY_S, ask, settled
from tests.support.servers.receiver import Receiver, status
from tests.support.stacks.notifying import MemoryLog, ago, running


def requests_of(facts: Sequence[Event]) -> list[str | None]:
    return [fact.request for fact in facts]  # type: ignore[attr-defined]


async def test_an_abandoned_hook_is_sent_again_under_its_id_and_without_progress(two_attempts: Settings) -> None:
    async with Receiver() as receiver, running(two_attempts) as rig:
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


async def test_a_delivered_hook_is_sent_as_often_as_it_is_asked_for(two_attempts: Settings) -> None:
    async with Receiver() as receiver, running(two_attempts) as rig:
        job_id = await rig.run_job(receiver.url())
        expected: list[type[Event]] = [WebhookDelivered]
        await settled(rig, job_id, *expected)
        for request in ("first", "second"):
            await ask(rig, job_id, request)
            expected += [WebhookRedeliveryRequested, WebhookDelivered]
            facts = await settled(rig, job_id, *expected)
            assert requests_of(facts[-2:]) == [request, request]
        assert len(receiver.received) == 3


async def test_a_hook_that_was_held_is_sent_when_it_is_asked_for_however_old(two_attempts: Settings) -> None:
    async with Receiver() as receiver, running(two_attempts, MemoryLog(clock=ago(DAY_S + 60))) as rig:
        job_id = await rig.run_job(receiver.url(), progress=2)
        (held,) = await settled(rig, job_id, WebhookAbandoned)
        assert isinstance(held, WebhookAbandoned)
        assert (held.reason, held.origin_sha256) == ("TOO_OLD", digest_of(receiver.origin))
        await ask(rig, job_id, "again")
        await settled(rig, job_id, WebhookAbandoned, WebhookRedeliveryRequested, WebhookDelivered)
        assert [hook.json["phase"] for hook in receiver.received] == ["completed"]


async def test_a_redelivery_has_the_whole_schedule_and_its_end_is_recorded_again(two_attempts: Settings) -> None:
    async with Receiver() as receiver, running(two_attempts) as rig:
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


async def test_a_request_that_is_read_twice_is_answered_once(two_attempts: Settings) -> None:
    async with Receiver() as receiver, running(two_attempts) as rig:
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
