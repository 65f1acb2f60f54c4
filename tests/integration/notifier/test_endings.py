"""Hooks of jobs that failed, were cancelled or were erased."""

from piperoll.settings import Settings
from schemas.events import (
    JobCancelled,
    JobErased,
    JobFailed,
)
from schemas.ids import draw_job_id
from tests.support.servers.receiver import Receiver
from tests.support.stacks.notifying import STARTED, running


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
