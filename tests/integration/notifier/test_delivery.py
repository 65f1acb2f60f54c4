"""What a receiver sees and what the log records of it: real Postgres, real sockets, a log in memory."""

import pytest

from piperoll.settings import Settings
from schemas.events import (
    JobCancelled,
    JobErased,
    JobFailed,
    JobProgress,
    WebhookAbandoned,
    WebhookDelivered,
    WebhookFailed,
)
from schemas.ids import draw_job_id
from tests.support.servers.receiver import Receiver, close, drip, hang, redirect, status
from tests.support.stacks.notifying import STARTED, running
from tests.support.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def quick(environment: dict[str, str]) -> Settings:
    """A short schedule, and timeouts that no test waits for."""
    return Settings.from_environment(
        {
            **environment,
            "PIPEROLL_ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8",
            "PIPEROLL_DELIVERY_SCHEDULE_S": "0,0.1,0.2",
            "PIPEROLL_PROGRESS_TIMEOUT_S": str(PATIENCE_S),
            "PIPEROLL_FINAL_TIMEOUT_S": str(PATIENCE_S),
        }
    )


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
        receiver.answers("/hook", hang, status(200))
        job_id = await rig.run_job(receiver.url(), progress=1)
        facts = await rig.wait_for_deliveries(job_id, 2)
        assert isinstance(facts[0], WebhookFailed)
        assert (facts[0].phase, facts[0].reason, facts[0].next_attempt_at) == ("processing", "TIMEOUT", None)
        assert isinstance(facts[1], WebhookDelivered)
        assert len(receiver.received) == 2


@pytest.mark.parametrize("first", [status(500), status(404), redirect("/elsewhere"), close, hang])
async def test_a_failed_final_hook_is_sent_again_under_the_same_id(quick: Settings, first: object) -> None:
    settings = impatient(quick, final_timeout_s=3) if first is hang else quick
    async with Receiver() as receiver, running(settings) as rig:
        receiver.answers("/hook", first, status(200))  # type: ignore[arg-type]
        job_id = await rig.run_job(receiver.url())
        failed, delivered = await rig.wait_for_deliveries(job_id, 2)
        assert isinstance(failed, WebhookFailed)
        assert failed.next_attempt_at is not None
        assert isinstance(delivered, WebhookDelivered)
        assert delivered.attempt == 2
        assert len({hook.headers["webhook-id"] for hook in receiver.received}) == 1
        assert [hook.path for hook in receiver.received] == ["/hook", "/hook"], "a redirect is not followed"


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


async def test_the_webhook_of_a_failed_job_has_its_code_and_message(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        job_id = draw_job_id()
        details = rig.put(f"{job_id}/run", {"code": "INVALID_PDF", "message": "Not a PDF.", "details": {"page": 1}})
        failed = JobFailed(run="run", error_code="INVALID_PDF", details=details)
        await rig.append(job_id, rig.created(job_id, receiver.url()), STARTED, failed)
        await rig.wait_for_state(job_id, "delivered")
        (hook,) = receiver.received
        assert hook.json == {
            "phase": "error",
            "message": "Not a PDF.",
            "error": {"code": "INVALID_PDF", "message": "Not a PDF.", "details": {"page": 1}},
            "data": None,
            "process": {"id": job_id, "main_processor": "pdf"},
            "job": {"id": job_id},
            "schema_version": 1,
        }


async def test_the_webhook_of_a_cancelled_job_is_an_error_also_when_the_cancel_is_read_first(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        later, earlier = draw_job_id(), draw_job_id()
        await rig.append(later, rig.created(later, receiver.url()), STARTED, JobCancelled(by="owner"))
        await rig.append(earlier, JobCancelled(by="owner"))
        await rig.append(earlier, rig.created(earlier, receiver.url()))
        for job_id in (later, earlier):
            await rig.wait_for_state(job_id, "delivered")
        assert {hook.json["process"]["id"] for hook in receiver.received} == {later, earlier}
        assert {hook.json["error"]["code"] for hook in receiver.received} == {"CANCELLED"}
        assert len(receiver.received) == 2


async def test_the_webhook_of_an_erased_open_job_has_no_data_and_its_row_is_deleted(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        job_id = draw_job_id()
        await rig.append(job_id, rig.created(job_id, receiver.url(), "secret"), STARTED, JobErased(by="owner"))
        await rig.wait_for_state(job_id, "delivered")
        (hook,) = receiver.received
        assert (hook.json["error"]["code"], hook.json["data"]) == ("CANCELLED", None)
        row = await rig.row(job_id)
        assert row is not None
        assert row["url"] is row["token"] is None


async def test_erasing_a_notified_job_deletes_its_receiver_and_sends_nothing(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        job_id = await rig.run_job(receiver.url(), token="secret")
        await rig.wait_for_state(job_id, "delivered")
        await rig.append(job_id, JobErased(by="owner"))
        row = await rig.row(job_id)
        assert row is not None
        assert row["url"] is row["token"] is row["client_id"] is None
        assert len(receiver.received) == 1


async def test_a_job_without_a_webhook_leaves_no_row(quick: Settings) -> None:
    async with running(quick) as rig:
        job_id = draw_job_id()
        await rig.append(job_id, rig.created(job_id, None), STARTED, rig.completed(job_id))
        assert await rig.row(job_id) is None


async def test_a_job_whose_parameters_were_erased_has_no_receiver(quick: Settings) -> None:
    async with running(quick) as rig:
        job_id = draw_job_id()
        created = rig.created(job_id, "http://127.0.0.1:1/hook")
        rig.blobs.delete_folder(job_id)
        await rig.append(job_id, created, STARTED)
        assert await rig.row(job_id) is None


async def test_a_token_that_no_key_opens_is_abandoned_as_unreadable(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        job_id = await rig.run_job(receiver.url(), token="!k9.AAAA")
        (fact,) = await rig.wait_for_deliveries(job_id, 1)
        assert isinstance(fact, WebhookAbandoned)
        assert fact.reason == "UNREADABLE"
        assert not receiver.received


async def test_a_name_that_leads_to_a_private_address_is_recorded_as_blocked(environment: dict[str, str]) -> None:
    closed = Settings.from_environment({**environment, "PIPEROLL_ALLOW_PRIVATE_NETWORKS": ""})
    async with Receiver() as receiver, running(closed) as rig:
        job_id = await rig.run_job(receiver.url().replace("127.0.0.1", "localhost"), progress=1)
        facts = await rig.wait_for_deliveries(job_id, 2)
        assert [(type(fact).__name__, fact.phase, fact.reason) for fact in facts] == [  # type: ignore[attr-defined]
            ("WebhookAbandoned", "processing", "BLOCKED_ADDRESS"),
            ("WebhookAbandoned", "completed", "BLOCKED_ADDRESS"),
        ]
        assert not receiver.received
