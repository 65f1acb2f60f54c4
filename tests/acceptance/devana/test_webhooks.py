"""`/v1/webhooks` as a client and its receiver meet it (contract 15d): real services, a real receiver."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
from standardwebhooks import Webhook

from services.api.endpoints.commands import MAX_ENDPOINTS
from services.projector.rebuild import rebuild
from tests.support.files.pdf import pdf
from tests.support.servers.receiver import Receiver, status
from tests.support.servers.website import Website
from tests.support.stacks.system import Json, System
from tests.support.waiting import wait_until

STATUSES = ["PENDING", "IN_PROGRESS", "DONE", "ERROR", "KILLED"]


class Client:
    """The API under a key of an owner of its own."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def register(self, url: str, **more: Any) -> Json:
        reply = await self.http.post("/v1/webhooks", json={"url": url, **more})
        assert reply.status_code == 200, reply.text
        assert reply.json()["success"] is True
        return dict(reply.json()["data"])

    async def listed(self) -> list[Json]:
        reply = await self.http.get("/v1/webhooks")
        assert reply.status_code == 200, reply.text
        return list(reply.json()["data"])

    async def create(self, job_type: str, **parameters: Any) -> str:
        reply = await self.http.post("/api/jobs/", json={"job_type": job_type, "parameters": parameters})
        assert reply.status_code == 200, reply.text
        return str(reply.json()["data"]["job_id"])


@asynccontextmanager
async def client_of(system: System, owner: str) -> AsyncIterator[Client]:
    async with system.client_of(owner) as http:
        yield Client(http)


def told(receiver: Receiver, job_id: str, path: str = "/hook") -> list[str]:
    return [one.json["status"] for one in receiver.at(path) if one.json["jobId"] == job_id]


async def wait_told(receiver: Receiver, job_id: str, *statuses: str, path: str = "/hook") -> list[Json]:
    """The bodies about a job, once as many came; in this order, a retry's repetition of it aside."""
    await receiver.wait_for(lambda it: len(told(it, job_id, path)) >= len(statuses), 60, f"{statuses} of {job_id}")
    assert told(receiver, job_id, path) == list(statuses)
    return [one.json for one in receiver.at(path) if one.json["jobId"] == job_id]


def refusal(reply: httpx.Response, code: int) -> Json:
    assert reply.status_code == code, reply.text
    assert reply.json()["success"] is False
    assert set(reply.json()["error"]) == {"code", "message", "details"}
    return dict(reply.json()["error"])


async def test_a_registered_endpoint_is_told_of_a_job_from_pending_to_done(system: System) -> None:
    async with Receiver() as receiver, client_of(system, "told") as client:
        endpoint = await client.register(receiver.url(), token="my-token")
        assert set(endpoint) == {"id", "url", "statuses", "secret", "createdAt"}
        assert (endpoint["url"], endpoint["statuses"]) == (receiver.url(), STATUSES)
        path = await asyncio.to_thread(pdf, system.files / "told.pdf")
        job_id = await client.create("pdf", filename=str(path), target_id="doc-mine")
        bodies = await wait_told(receiver, job_id, "PENDING", "IN_PROGRESS", "DONE")
        for body in bodies:
            assert set(body) == {"jobId", "status", "targetId", "type", "metadata"}
            assert (body["jobId"], body["targetId"], body["type"]) == (job_id, "doc-mine", "EXTRACTION")
        done = bodies[-1]["metadata"]
        assert done["fileName"] == "told.pdf"
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
        }, "the list says the same as the hook"


async def test_a_failed_job_says_why_in_its_metadata(system: System) -> None:
    async with Receiver() as receiver, client_of(system, "failing") as client:
        await client.register(receiver.url())
        job_id = await client.create("pdf", filename=str(system.files / "nowhere.pdf"))
        *_, error = await wait_told(receiver, job_id, "PENDING", "IN_PROGRESS", "ERROR")
        job = await client.http.get(f"/api/jobs/{job_id}")
        assert error["metadata"]["error"] == job.json()["data"]["error"]["message"]


async def test_a_cancelled_job_is_told_as_killed(system: System, site: Website) -> None:
    async with Receiver() as receiver, client_of(system, "cancelling") as client:
        await client.register(receiver.url())
        job_id = await client.create("pdf", url=site.slow("/slow-endpoint-test.pdf", 3600))
        await wait_told(receiver, job_id, "PENDING", "IN_PROGRESS")
        reply = await client.http.post(f"/api/jobs/{job_id}/cancel", json={})
        assert reply.status_code == 200, reply.text
        await wait_told(receiver, job_id, "PENDING", "IN_PROGRESS", "KILLED")


async def test_an_endpoint_is_told_of_the_statuses_it_asked_for_and_of_its_owners_jobs_alone(system: System) -> None:
    async with (
        Receiver() as receiver,
        client_of(system, "choosy") as client,
        client_of(system, "somebody-else") as other,
    ):
        await client.register(receiver.url("/done"), statuses=["DONE"])
        await client.register(receiver.url("/every"))
        path = await asyncio.to_thread(pdf, system.files / "choosy.pdf")
        foreign = await other.create("pdf", filename=str(path))
        job_id = await client.create("pdf", filename=str(path))
        await wait_told(receiver, job_id, "DONE", path="/done")
        await wait_told(receiver, job_id, "PENDING", "IN_PROGRESS", "DONE", path="/every")
        await system_ended(other, foreign)
        assert not [one for one in receiver.received if one.json["jobId"] == foreign]


async def test_the_list_shows_no_secret_and_deleting_ends_the_telling(system: System) -> None:
    async with Receiver() as receiver, client_of(system, "leaving") as client, client_of(system, "nosy") as nosy:
        kept = await client.register(receiver.url("/kept"), statuses=["DONE", "DONE", "ERROR"])
        left = await client.register(receiver.url("/left"))
        listed = await client.listed()
        assert [one["id"] for one in listed] == [left["id"], kept["id"]]
        assert listed[1] == {**{name: kept[name] for name in kept if name != "secret"}, "statuses": ["DONE", "ERROR"]}
        assert await nosy.listed() == []
        refusal(await nosy.http.delete(f"/v1/webhooks/{left['id']}"), 404)
        reply = await client.http.delete(f"/v1/webhooks/{left['id']}")
        assert (reply.status_code, reply.json()["data"]["id"]) == (200, left["id"])
        refusal(await client.http.delete(f"/v1/webhooks/{left['id']}"), 404)
        assert [one["id"] for one in await client.listed()] == [kept["id"]]
        await wait_until(lambda: settings_gone(system, left["id"]), 30, "the notifier to delete the settings")
        path = await asyncio.to_thread(pdf, system.files / "leaving.pdf")
        job_id = await client.create("pdf", filename=str(path))
        await wait_told(receiver, job_id, "DONE", path="/kept")
        assert receiver.at("/left") == []


async def test_a_trial_is_sent_at_once_and_marked_as_one(system: System) -> None:
    async with Receiver() as receiver, client_of(system, "trying") as client:
        endpoint = await client.register(receiver.url(), statuses=["ERROR"])
        reply = await client.http.post(f"/v1/webhooks/{endpoint['id']}/test")
        assert reply.status_code == 202, reply.text
        trial_id = reply.json()["data"]["jobId"]
        (trial,) = await receiver.wait_for(lambda it: it.at("/hook"), 30)
        assert trial.json["jobId"] == trial_id
        assert trial.json["metadata"]["test"] is True
        Webhook(endpoint["secret"]).verify(trial.body, {name.lower(): text for name, text in trial.headers.items()})
        refusal(await client.http.post("/v1/webhooks/endpoint-unknown/test"), 404)


async def test_outcomes_stand_among_the_jobs_deliveries_and_not_in_its_log(system: System) -> None:
    async with Receiver() as receiver, client_of(system, "counting") as client:
        receiver.answers("/hook", status(500), status(200))
        endpoint = await client.register(receiver.url())
        path = await asyncio.to_thread(pdf, system.files / "counting.pdf")
        job_id = await client.create("pdf", filename=str(path))
        await wait_told(receiver, job_id, "PENDING", "PENDING", "IN_PROGRESS", "DONE")

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


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "INVALID_PARAMETERS"),
        ({"url": 7}, "INVALID_PARAMETERS"),
        ({"url": "ftp://example.com/"}, "INVALID_PARAMETERS"),
        ({"url": "https://example.com/", "statuses": ["FINISHED"]}, "INVALID_PARAMETERS"),
        ({"url": "https://example.com/", "statuses": "DONE"}, "INVALID_PARAMETERS"),
        ({"url": "https://example.com/", "token": ""}, "INVALID_PARAMETERS"),
        ({"url": "https://example.com/", "jobId": "mine"}, "INVALID_PARAMETERS"),
        ({"url": "http://169.254.169.254/latest"}, "BLOCKED_ADDRESS"),
        ({"url": "http://10.0.0.1/hook"}, "BLOCKED_ADDRESS"),
    ],
)
async def test_a_bad_endpoint_is_refused(system: System, body: Json, code: str) -> None:
    async with client_of(system, "careless") as client:
        error = refusal(await client.http.post("/v1/webhooks", json=body), 400)
        assert error["code"] == code
        assert await client.listed() == []


async def test_a_repeated_key_registers_once_and_answers_the_same(system: System) -> None:
    async with client_of(system, "repeating") as client:
        body = {"url": "https://example.com/hook", "token": "t", "statuses": ["DONE"]}

        async def post(given: Json) -> httpx.Response:
            return await client.http.post("/v1/webhooks", json=given, headers={"Idempotency-Key": "once"})

        first, second = await asyncio.gather(post(body), post(body))
        assert first.json() == second.json() == (await post(body)).json()
        (listed,) = await client.listed()
        assert refusal(await post({**body, "token": "other"}), 422)["code"] == "IDEMPOTENCY_CONFLICT"
        await client.http.delete(f"/v1/webhooks/{listed['id']}")
        assert refusal(await post(body), 409)["code"] == "CONFLICT"


async def test_an_owner_may_have_so_many_endpoints_and_no_more(system: System) -> None:
    async with client_of(system, "greedy") as client:
        made = [await client.register(f"https://example.com/{number}") for number in range(MAX_ENDPOINTS)]
        error = refusal(await client.http.post("/v1/webhooks", json={"url": "https://example.com/more"}), 409)
        assert error["code"] == "CONFLICT"
        for endpoint in made:
            assert (await client.http.delete(f"/v1/webhooks/{endpoint['id']}")).status_code == 200
        assert await client.listed() == []


async def test_the_read_model_of_endpoints_is_the_fold_of_the_log_and_a_rebuild_gives_the_same(system: System) -> None:
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


def settings_gone(system: System, endpoint_id: str) -> bool:
    return not (system.stack.data_dir / "blobs" / "endpoints" / endpoint_id).exists()


async def system_ended(client: Client, job_id: str) -> None:
    async def ended() -> bool:
        job = (await client.http.get(f"/api/jobs/{job_id}", params={"wait": 5})).json()["data"]
        return job["status"] in ("completed", "failed")

    await wait_until(ended, 60, f"{job_id} to end")
