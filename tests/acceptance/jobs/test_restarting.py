"""Restarting jobs (contract 2e). Spoken by HTTP alone."""

from uuid import uuid4

from tests.support.clients.jobs import refused
from tests.support.files.pdf import pdf
from tests.support.stacks.system import System


async def test_a_restart_is_a_new_job_with_the_same_parameters(system: System) -> None:
    path = system.files / f"late-{uuid4().hex[:8]}.pdf"
    webhook = {"url": system.receiver.url("/restarted"), "token": "restart-token", "jobId": "mine"}
    body = {"filename": str(path), "use_cache": False, "webhook": webhook}
    first = await system.create("pdf", **body)
    assert (await system.wait_for_end(first))["error"]["code"] == "FILE_NOT_FOUND"
    pdf(path, pages=1)
    reply = await system.client.post(f"/api/jobs/{first}/restart")
    assert reply.status_code == 200, reply.text
    data = reply.json()["data"]
    assert data["job_id"] != first
    assert (data["job"]["status"], data["job"]["retry_of"]) == ("pending", first)
    second = await system.wait_for_end(data["job_id"])
    assert (second["status"], second["retry_of"]) == ("completed", first)
    assert second["parameters"] == {**body, "webhook": {**webhook, "token": "***"}}
    assert (await system.job(first))["status"] == "failed", "the old job stays what it was"
    await system.wait_for_final_hooks([data["job_id"]])
    sent = [one for one in system.receiver.received if one.json["process"]["id"] == data["job_id"]]
    assert {one.headers["Authorization"] for one in sent} == {"Bearer restart-token"}


async def test_a_job_that_has_not_ended_cannot_be_restarted(system: System) -> None:
    job_id = await system.create(sleep_s=3600)
    refused(await system.client.post(f"/api/jobs/{job_id}/restart"), 409, "CONFLICT")
    assert (await system.client.post(f"/api/jobs/{job_id}/cancel")).status_code == 200
    again = await system.client.post(f"/api/jobs/{job_id}/restart")
    assert again.status_code == 200
    assert (await system.client.delete(f"/api/jobs/{again.json()['data']['job_id']}")).status_code == 200
    refused(await system.client.post(f"/api/jobs/job-{uuid4()}/restart"), 404, "NOT_FOUND")


async def test_the_same_key_restarts_a_job_once(system: System) -> None:
    first, other = await system.create(), await system.create(sleep_s=0.1)
    await system.wait_for_all([first, other])
    headers = {"Idempotency-Key": uuid4().hex}
    replies = [await system.client.post(f"/api/jobs/{first}/restart", headers=headers) for _ in range(2)]
    assert replies[0].json() == replies[1].json()
    refused(await system.client.post(f"/api/jobs/{other}/restart", headers=headers), 422, "IDEMPOTENCY_CONFLICT")
