"""Endpoints are registered, listed, tried and deleted under `/v1/webhooks` (docs/contract/devana.md#endpoints)."""

import asyncio

import httpx
import pytest
from standardwebhooks import Webhook

from services.api.endpoints.commands import MAX_ENDPOINTS
from tests.support.clients.devana import client_of, refusal, wait_for_statuses
from tests.support.files.pdf import pdf
from tests.support.servers.receiver import Receiver
from tests.support.stacks.system import Json, System
from tests.support.waiting import wait_until


async def test_the_list_shows_no_secret_and_a_deleted_endpoint_is_not_notified(system: System) -> None:
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
        await wait_for_statuses(receiver, job_id, "DONE", path="/kept")
        assert receiver.at("/left") == []


async def test_a_trial_is_sent_at_once_and_is_marked(system: System) -> None:
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


async def test_a_repeated_key_registers_one_endpoint(system: System) -> None:
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


async def test_an_owner_has_a_maximum_of_endpoints(system: System) -> None:
    async with client_of(system, "greedy") as client:
        made = [await client.register(f"https://example.com/{number}") for number in range(MAX_ENDPOINTS)]
        error = refusal(await client.http.post("/v1/webhooks", json={"url": "https://example.com/more"}), 409)
        assert error["code"] == "CONFLICT"
        for endpoint in made:
            assert (await client.http.delete(f"/v1/webhooks/{endpoint['id']}")).status_code == 200
        assert await client.listed() == []


def settings_gone(system: System, endpoint_id: str) -> bool:
    return not (system.stack.data_dir / "blobs" / "endpoints" / endpoint_id).exists()
