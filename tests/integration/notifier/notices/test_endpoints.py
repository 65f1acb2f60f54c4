"""Registered endpoints of the notifier: real Postgres, real sockets, a log in memory."""

from standardwebhooks import Webhook

from piperoll.settings import Settings
from schemas.events import (
    JobCancelled,
    JobFailed,
    JobReleased,
    JobRetryScheduled,
    JobStarted,
    WebhookAbandoned,
    WebhookDelivered,
    WebhookFailed,
)
from schemas.ids import draw_job_id
from tests.support.notifier.notices import wait_for_statuses
from tests.support.servers.receiver import Receiver, hang, status
from tests.support.stacks.notifying import SECRET, STARTED, running
from tests.support.waiting import wait_until


async def test_each_change_of_status_is_sent_in_order_and_signed(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        endpoint_id = await rig.register(receiver.url(), token="token-of-mine")
        job_id = await rig.run_job(receiver.url("/own"), progress=3)
        await wait_for_statuses(receiver, job_id, "PENDING", "IN_PROGRESS", "DONE")
        first, _, last = receiver.at("/hook")
        assert last.json == {
            "jobId": job_id,
            "status": "DONE",
            "targetId": job_id,
            "type": "EXTRACTION",
            "metadata": {"mimeType": "application/pdf", "extractionMethod": "native"},
        }
        for one in (first, last):
            assert Webhook(SECRET).verify(one.body, {name.lower(): text for name, text in one.headers.items()})
            assert one.headers["Authorization"] == "Bearer token-of-mine"
            assert one.headers["X-Callback-Token"] == "token-of-mine"
        assert len({one.headers["webhook-id"] for one in receiver.at("/hook")}) == 3
        facts = [fact for fact in await rig.wait_for_deliveries(job_id, 5) if fact.endpoint_id]  # type: ignore[attr-defined]
        assert [(fact.phase, fact.endpoint_id, fact.change) for fact in facts] == [  # type: ignore[attr-defined]
            ("status", endpoint_id, 1),
            ("status", endpoint_id, 2),
            ("status", endpoint_id, 6),
        ]
        assert [one.json["phase"] for one in receiver.at("/own")][-1] == "completed", "the job's own webhook as ever"


async def test_a_retry_and_a_release_are_sent_as_pending_and_refused_facts_not_at_all(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        await rig.register(receiver.url())
        job_id = draw_job_id()
        await rig.append(
            job_id,
            rig.created(job_id, None),
            STARTED,
            JobStarted(number=7, run="other", worker="worker"),
            JobRetryScheduled(run="run", error_code="TIMEOUT", delay_s=0),
            JobStarted(number=2, run="second", worker="worker"),
            JobReleased(run="second", reason="drain"),
            JobStarted(number=3, run="run", worker="worker"),
            rig.completed(job_id),
            JobCancelled(by="owner"),
        )
        expected = ("PENDING", "IN_PROGRESS") * 3
        await wait_for_statuses(receiver, job_id, *expected, "DONE")


async def test_a_failed_job_is_sent_with_its_error_and_a_cancelled_one_as_killed(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        await rig.register(receiver.url(), "ERROR", "KILLED")
        failed, cancelled = draw_job_id(), draw_job_id()
        details = rig.put(f"{failed}/run", {"message": "The file is not a PDF.", "details": {}})
        await rig.append(
            failed, rig.created(failed, None), STARTED, JobFailed(run="run", error_code="INVALID_PDF", details=details)
        )
        await rig.append(cancelled, rig.created(cancelled, None), JobCancelled(by="owner"))
        await wait_for_statuses(receiver, failed, "ERROR")
        await wait_for_statuses(receiver, cancelled, "KILLED")
        (error,) = (one.json for one in receiver.at("/hook") if one.json["jobId"] == failed)
        assert error["metadata"]["error"] == "The file is not a PDF."


async def test_a_failing_change_is_tried_again_before_the_next_one_and_then_given_up(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        receiver.answers("/hook", status(500), status(500), status(200), *[status(500)] * 3, status(200))
        await rig.register(receiver.url())
        job_id = await rig.run_job("http://192.0.2.1/")
        await wait_for_statuses(receiver, job_id, *["PENDING"] * 3, *["IN_PROGRESS"] * 3, "DONE")
        ids = [one.headers["webhook-id"] for one in receiver.at("/hook")]
        assert len(set(ids[:3])) == len(set(ids[3:6])) == 1

        async def outcomes() -> list[str] | None:
            facts = [fact for fact in await rig.deliveries(job_id) if fact.endpoint_id]  # type: ignore[attr-defined]
            return [type(fact).__name__ for fact in facts] if len(facts) >= 8 else None

        failed, delivered = WebhookFailed.__name__, WebhookDelivered.__name__
        assert await wait_until(outcomes, 20, "the outcomes") == [
            *[failed] * 2,
            delivered,
            *[failed] * 3,
            WebhookAbandoned.__name__,
            delivered,
        ]


async def test_a_dead_endpoint_slows_neither_another_one_nor_the_jobs_own_webhooks(quick: Settings) -> None:
    async with running(quick) as rig, Receiver() as dead, Receiver() as alive:
        dead.answers("/hook", hang)
        await rig.register(dead.url())
        await rig.register(alive.url())
        jobs = [await rig.run_job(alive.url("/own")) for _ in range(20)]
        for job_id in jobs:
            await wait_for_statuses(alive, job_id, "PENDING", "IN_PROGRESS", "DONE")
            await rig.wait_for_state(job_id, "delivered")
        assert len(dead.received) <= quick.receiver_concurrency
