"""Cancelling jobs over a real Kafka, a real Postgres and a real projector."""

from typing import Any

import pytest

from schemas.events import JobFailed, JobStarted
from schemas.ids import draw_run
from tests.support.stacks.api import (
    Api,
    refused,
)


async def test_a_cancelled_job_is_shown_as_failed_and_cannot_be_cancelled_again(api: Api) -> None:
    job_id = await api.create()
    reply = await api.client.post(f"/api/jobs/{job_id}/cancel", json={"reason": "no longer needed"})
    assert reply.status_code == 200, reply.text
    job = reply.json()["data"]
    assert (job["status"], job["error"]["code"]) == ("failed", "CANCELLED")
    assert job["error"]["details"] == {"reason": "no longer needed"}
    refused(await api.client.post(f"/api/jobs/{job_id}/cancel"), 409, "CONFLICT")


async def test_a_job_that_has_ended_cannot_be_cancelled(api: Api) -> None:
    job_id, run = await api.create(), draw_run()
    failed = JobFailed(run=run, error_code="INVALID_PDF")
    await api.happen(job_id, JobStarted(number=1, run=run, worker="w"), failed)
    refused(await api.client.post(f"/api/jobs/{job_id}/cancel"), 409, "CONFLICT")
    job = await api.job(job_id)
    assert job["error"]["code"] == "INVALID_PDF"
    assert job["error"]["message"]


@pytest.mark.parametrize("body", [{"reason": 5}, {"reason": "x" * 65}, {"why": "x"}, ["reason"]])
async def test_a_cancel_with_a_wrong_reason_is_refused(api: Api, body: Any) -> None:
    job_id = await api.create()
    assert (await api.client.post(f"/api/jobs/{job_id}/cancel", json=body)).status_code == 400
    assert (await api.job(job_id))["status"] == "pending"
