"""Attempts of the notifier: what a receiver sees and what the log records of it."""

import pytest

from piperoll.settings import Settings
from schemas.events import (
    JobProgress,
    WebhookAbandoned,
    WebhookDelivered,
    WebhookFailed,
)
from schemas.ids import draw_job_id
from tests.support.servers.receiver import Receiver, close, drip, hang, hang_at, redirect, status
from tests.support.stacks.notifying import STARTED, running


def impatient(quick: Settings, **timeouts: float) -> Settings:
    """With a short timeout for hooks that are never answered."""
    return quick.model_copy(update=timeouts)


async def test_the_webhook_of_a_completed_job_follows_the_contract(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        job_id = await rig.run_job(receiver.url("/hook/{jobId}"), token="secret", client_id="mine/1")
        await rig.wait_for_state(job_id, "delivered")
        (hook,) = receiver.received
        assert hook.json == {
            "phase": "completed",
            "message": "Processing completed",
            "data": {"extracted_text": "the text", "metadata": {"page_count": 1}},
            "process": {"id": job_id, "main_processor": "pdf"},
            "job": {"id": "mine/1"},
            "schema_version": 1,
        }
        assert hook.path == "/hook/mine/1"
        assert hook.headers["Authorization"] == "Bearer secret"
        assert hook.headers["X-Callback-Token"] == "secret"
        assert hook.headers["Content-Type"] == hook.headers["Accept"] == "application/json"
        (fact,) = await rig.wait_for_deliveries(job_id, 1)
        assert isinstance(fact, WebhookDelivered)
        assert (fact.phase, fact.attempt, fact.status) == ("completed", 1, 200)
        assert fact.delivery_id == hook.headers["webhook-id"]


async def test_progress_comes_before_the_end_and_never_after_it(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        job_id = draw_job_id()
        await rig.append(job_id, rig.created(job_id, receiver.url()), STARTED)
        for number in range(1, 6):
            step = JobProgress(run="run", sequence=number, step="extracting_text", percent=number * 10)
            await rig.append(job_id, step)
        await receiver.wait_for(lambda r: r.received, description="a progress hook")
        await rig.append(job_id, rig.completed(job_id))
        await rig.wait_for_state(job_id, "delivered")
        phases = [hook.json["phase"] for hook in receiver.received]
        percents = [hook.json["progress"] for hook in receiver.received[:-1]]
        assert phases == ["processing"] * (len(phases) - 1) + ["completed"]
        assert percents == sorted(percents)
        assert receiver.received[0].json["message"] == "Extracting text from PDF..."


async def test_one_progress_hook_is_attempted_first_even_when_the_job_is_over(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        job_id = await rig.run_job(receiver.url(), progress=3)
        await rig.wait_for_state(job_id, "delivered")
        assert [(hook.json["phase"], hook.json.get("progress")) for hook in receiver.received] == [
            ("processing", 30),
            ("completed", None),
        ]


async def test_a_hanging_progress_hook_delays_the_final_one_by_its_timeout_and_no_more(quick: Settings) -> None:
    async with Receiver() as receiver, running(impatient(quick, progress_timeout_s=0.5)) as rig:
        receiver.answers("/hook", hang_at("processing"))
        job_id = await rig.run_job(receiver.url(), progress=1)
        facts = await rig.wait_for_deliveries(job_id, 2)
        assert isinstance(facts[0], WebhookFailed)
        assert (facts[0].phase, facts[0].reason, facts[0].next_attempt_at) == ("processing", "TIMEOUT", None)
        assert isinstance(facts[1], WebhookDelivered)
        phases = sorted(hook.json["phase"] for hook in receiver.received)
        assert phases in (["completed", "processing"], ["completed"]), "a slow machine gives the first one up unsent"


@pytest.mark.parametrize("first", [status(500), status(404), redirect("/elsewhere"), close, hang])
async def test_a_failed_final_hook_is_sent_again_under_the_same_id(quick: Settings, first: object) -> None:
    settings = impatient(quick, final_timeout_s=3) if first is hang else quick
    async with Receiver() as receiver, running(settings) as rig:
        receiver.answers("/hook", first, status(200))  # type: ignore[arg-type]
        job_id = await rig.run_job(receiver.url())
        await rig.wait_for_state(job_id, "delivered")
        row = await rig.row(job_id)
        assert row is not None
        *failures, delivered = await rig.wait_for_deliveries(job_id, row["attempts"])
        assert failures
        for failed in failures:  # more than one where a slow machine gave one up unsent
            assert isinstance(failed, WebhookFailed)
            assert failed.next_attempt_at is not None
        assert isinstance(delivered, WebhookDelivered)
        assert delivered.attempt == len(failures) + 1
        assert len({hook.headers["webhook-id"] for hook in receiver.received}) == 1
        assert {hook.path for hook in receiver.received} == {"/hook"}, "a redirect is not followed"


async def test_retry_after_puts_the_next_attempt_off(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        receiver.answers("/hook", status(500, Retry_After="3600"))
        job_id = await rig.run_job(receiver.url())
        (failed,) = await rig.wait_for_deliveries(job_id, 1)
        row = await rig.row(job_id)
        assert isinstance(failed, WebhookFailed)
        assert row is not None
        assert (row["next_attempt_at"] - row["seen_at"]).total_seconds() > 3500


async def test_after_the_last_attempt_the_hook_is_visibly_abandoned(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        receiver.answers("/hook", status(500))
        job_id = await rig.run_job(receiver.url())
        facts = await rig.wait_for_deliveries(job_id, 4)
        assert [type(fact).__name__ for fact in facts] == ["WebhookFailed"] * 3 + ["WebhookAbandoned"]
        assert isinstance(facts[-1], WebhookAbandoned)
        assert facts[-1].reason == "EXHAUSTED"
        assert await rig.state(job_id) == "abandoned"


async def test_gone_stops_at_once(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        receiver.answers("/hook", status(410))
        job_id = await rig.run_job(receiver.url())
        (fact,) = await rig.wait_for_deliveries(job_id, 1)
        assert isinstance(fact, WebhookAbandoned)
        assert (fact.reason, fact.status) == ("GONE", 410)
        assert len(receiver.received) == 1


async def test_a_dripping_reply_to_a_taken_hook_counts_as_delivered(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        receiver.answers("/hook", drip)
        job_id = await rig.run_job(receiver.url())
        (fact,) = await rig.wait_for_deliveries(job_id, 1)
        assert isinstance(fact, WebhookDelivered)
