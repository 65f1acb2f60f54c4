"""Requests for the redelivery of a job's webhook, over a real Kafka, Postgres and projector, without a notifier."""

from typing import Any

from schemas.events import JobStarted, WebhookDelivered, WebhookFailed
from schemas.ids import delivery_id
from tests.support.stacks.api import Api, refused
from tests.support.stacks.redelivery import HOOKED, LONG_AGO, deliveries, found, gone, hooked_job, record
from tests.support.waiting import wait_until


async def ask(api: Api, job_id: str, **body: Any) -> Any:
    return await api.client.post(f"/api/jobs/{job_id}/deliveries/redeliver", json=body)


async def test_a_redelivery_request_is_listed_as_soon_as_it_is_answered(api: Api) -> None:
    job_id = await hooked_job(api)
    await record(api, job_id, gone(job_id))
    reply = await ask(api, job_id)
    assert reply.status_code == 200, reply.text
    answered = reply.json()["data"]
    assert answered.items() >= {"job_id": job_id, "delivery_id": delivery_id(job_id, "final")}.items()
    assert reply.headers["Piperoll-Position"].count(":") == 1
    abandoned, requested = await deliveries(api, job_id)
    assert abandoned["outcome"] == "abandoned"
    assert "origin_sha256" not in abandoned
    assert (requested["outcome"], requested["request"], requested["by"]) == ("requested", answered["request"], "local")
    assert requested["phase"] == "completed"
    assert "Webhook (completed) was requested again" in [one["message"] for one in (await api.job(job_id))["logs"]]


async def test_a_webhook_has_one_pending_redelivery_at_a_time(api: Api) -> None:
    job_id = await hooked_job(api)
    await record(api, job_id, gone(job_id))
    first = await ask(api, job_id, delivery_id=delivery_id(job_id, "final"))
    assert first.status_code == 200, first.text
    refused(await ask(api, job_id), 409, "CONFLICT")
    request = first.json()["data"]["request"]
    delivered = WebhookDelivered(**found(job_id), attempt=2, status=200, duration_ms=1, request=request)
    await record(api, job_id, delivered)
    assert (await ask(api, job_id)).status_code == 200, "a delivered hook may be asked for too"


async def test_a_redelivery_that_is_impossible_is_refused_with_the_reason(api: Api) -> None:
    without = await api.create()
    await api.run(without)
    running = await api.create(HOOKED)
    await api.happen(running, JobStarted(number=1, run="r", worker="w"))
    waiting = await hooked_job(api)
    again = WebhookFailed(**found(waiting), attempt=1, reason="TIMEOUT", duration_ms=1, next_attempt_at=LONG_AGO)
    await record(api, waiting, again)
    for job_id, reason in (
        (without, "has no webhook"),
        (running, "has not ended"),
        (waiting, "still on its own schedule"),
    ):
        await wait_until(lambda job=job_id: reached(api, job), 20, "the job's status")  # type: ignore[misc]
        reply = await ask(api, job_id)
        refused(reply, 409, "CONFLICT")
        assert reason in reply.json()["error"]["message"]
    reply = await ask(api, waiting)
    assert reply.json()["error"]["details"] == {"next_attempt_at": LONG_AGO}
    refused(await ask(api, waiting, delivery_id="msg_other"), 404, "NOT_FOUND")
    refused(await ask(api, "job-00000000-0000-4000-8000-000000000000"), 404, "NOT_FOUND")
    refused(await ask(api, waiting, delivery=1), 400, "INVALID_REQUEST")


async def reached(api: Api, job_id: str) -> bool:
    return str((await api.job(job_id))["status"]) != "pending"


async def test_an_erased_job_has_no_redelivery(api: Api) -> None:
    job_id = await hooked_job(api)
    await record(api, job_id, gone(job_id))
    assert (await api.client.delete(f"/api/jobs/{job_id}")).status_code == 200
    refused(await ask(api, job_id), 404, "NOT_FOUND")
