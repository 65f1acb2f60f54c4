"""`/v1/webhooks` over HTTP: the notifications of a registered endpoint.
See docs/contract/devana.md#endpoints."""

import asyncio

import asyncpg
from standardwebhooks import Webhook

from services.projector.rebuild import rebuild
from tests.support.clients.devana import Client, client_of, wait_for_statuses
from tests.support.files.pdf import pdf
from tests.support.servers.receiver import Receiver, status
from tests.support.servers.website import Website
from tests.support.stacks.system import Json, System
from tests.support.waiting import wait_until

STATUSES = ["PENDING", "IN_PROGRESS", "DONE", "ERROR", "KILLED"]


async def test_a_registered_endpoint_is_notified_of_every_status_of_a_job(system: System) -> None:
    async with Receiver() as receiver, client_of(system, "notified") as client:
        endpoint = await client.register(receiver.url(), token="my-token")
        assert set(endpoint) == {"id", "url", "statuses", "secret", "createdAt"}
        assert (endpoint["url"], endpoint["statuses"]) == (receiver.url(), STATUSES)
        path = await asyncio.to_thread(pdf, system.files / "notified.pdf")
        job_id = await client.create("pdf", filename=str(path), target_id="doc-mine")
        bodies = await wait_for_statuses(receiver, job_id, "PENDING", "IN_PROGRESS", "DONE")
        for body in bodies:
            assert set(body) == {"jobId", "status", "targetId", "type", "metadata"}
            assert (body["jobId"], body["targetId"], body["type"]) == (job_id, "doc-mine", "EXTRACTION")
        done = bodies[-1]["metadata"]
        assert done["fileName"] == "notified.pdf"
        assert done["mimeType"] == "application/pdf"
        assert (done["pageCount"], done["extractionMethod"]) == (3, "native")
        assert "error" not in done
        for one in receiver.at("/hook"):
            Webhook(endpoint["secret"]).verify(one.body, {name.lower(): text for name, text in one.headers.items()})
            assert one.headers["Authorization"] == "Bearer my-token"
            assert one.headers["X-Callback-Token"] == "my-token"
        listed = await client.http.get("/v1/jobs", params={"targetId": "doc-mine"})
        (shown,) = listed.json()["data"]
        assert {name: shown[name] for name in ("targetId", "type", "status", "metadata")} == {
            name: bodies[-1][name] for name in ("targetId", "type", "status", "metadata")
        }, "the list shows the same as the notification"


async def test_the_notification_of_a_failed_job_has_its_error(system: System) -> None:
    async with Receiver() as receiver, client_of(system, "failing") as client:
        await client.register(receiver.url())
        job_id = await client.create("pdf", filename=str(system.files / "nowhere.pdf"))
        *_, error = await wait_for_statuses(receiver, job_id, "PENDING", "IN_PROGRESS", "ERROR")
        job = await client.http.get(f"/api/jobs/{job_id}")
        assert error["metadata"]["error"] == job.json()["data"]["error"]["message"]


async def test_a_cancelled_job_is_notified_as_killed(system: System, site: Website) -> None:
    async with Receiver() as receiver, client_of(system, "cancelling") as client:
        await client.register(receiver.url())
        job_id = await client.create("pdf", url=site.slow("/slow-endpoint-test.pdf", 3600))
        await wait_for_statuses(receiver, job_id, "PENDING", "IN_PROGRESS")
        reply = await client.http.post(f"/api/jobs/{job_id}/cancel", json={})
        assert reply.status_code == 200, reply.text
        await wait_for_statuses(receiver, job_id, "PENDING", "IN_PROGRESS", "KILLED")


async def test_an_endpoint_gets_its_statuses_of_the_jobs_of_its_owner(system: System) -> None:
    async with (
        Receiver() as receiver,
        client_of(system, "choosy") as client,
        client_of(system, "another-owner") as other,
    ):
        await client.register(receiver.url("/done"), statuses=["DONE"])
        await client.register(receiver.url("/every"))
        path = await asyncio.to_thread(pdf, system.files / "choosy.pdf")
        foreign = await other.create("pdf", filename=str(path))
        job_id = await client.create("pdf", filename=str(path))
        await wait_for_statuses(receiver, job_id, "DONE", path="/done")
        await wait_for_statuses(receiver, job_id, "PENDING", "IN_PROGRESS", "DONE", path="/every")
        await system_ended(other, foreign)
        assert not [one for one in receiver.received if one.json["jobId"] == foreign]


async def test_outcomes_are_listed_as_deliveries_and_not_in_the_log_of_the_job(system: System) -> None:
    async with Receiver() as receiver, client_of(system, "counting") as client:
        receiver.answers("/hook", status(500), status(200))
        endpoint = await client.register(receiver.url())
        path = await asyncio.to_thread(pdf, system.files / "counting.pdf")
        job_id = await client.create("pdf", filename=str(path))
        await wait_for_statuses(receiver, job_id, "PENDING", "PENDING", "IN_PROGRESS", "DONE")

        async def deliveries() -> list[Json] | None:
            reply = await client.http.get(f"/api/jobs/{job_id}/deliveries")
            found = list(reply.json()["data"]["deliveries"])
            return found if len(found) >= 4 else None

        shown = await wait_until(deliveries, 30, "the outcomes to be listed")
        assert shown is not None
        assert {one["phase"] for one in shown} == {"status"}
        assert {one["endpoint_id"] for one in shown} == {endpoint["id"]}
        job = (await client.http.get(f"/api/jobs/{job_id}")).json()["data"]
        assert not [entry for entry in job["logs"] if "Webhook" in entry["message"]]


async def test_the_read_model_of_endpoints_equals_the_log_and_its_rebuild(system: System) -> None:
    async with client_of(system, "rebuilt") as client:
        await client.register("https://example.com/kept", statuses=["DONE"])
        left = await client.register("https://example.com/left")
        await client.http.delete(f"/v1/webhooks/{left['id']}")
        live = await rows(system)
        report = await system.verify()
        assert report.endpoints == len(live) >= 2
        assert not report.violations, report.violations
        await rebuild(system.settings)
        assert await rows(system) == live
        assert [one["url"] for one in await client.listed()] == ["https://example.com/kept"]
        assert not (await system.verify()).violations


async def rows(system: System) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(system.settings.postgres_dsn.get_secret_value())
    try:
        found = await connection.fetch("SELECT * FROM read_v1.endpoints ORDER BY endpoint_id")
        return [tuple(row.values()) for row in found]
    finally:
        await connection.close()


async def system_ended(client: Client, job_id: str) -> None:
    async def ended() -> bool:
        job = (await client.http.get(f"/api/jobs/{job_id}", params={"wait": 5})).json()["data"]
        return job["status"] in ("completed", "failed")

    await wait_until(ended, 60, f"{job_id} to end")
