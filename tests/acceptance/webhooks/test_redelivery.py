"""Abandoned webhooks are sent again on request, over HTTP to a real receiver."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx

from tests.support.servers.receiver import Received, Receiver, status
from tests.support.stacks.system import Json, System
from tests.support.waiting import wait_until

LONG_AGO = "2020-01-01T00:00:00Z"


@asynccontextmanager
async def stranger(system: System) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an owner who has no job yet."""
    async with system.client_of(f"owner-{uuid4().hex[:8]}") as client:
        yield client


async def create(client: httpx.AsyncClient, receiver: Receiver) -> str:
    body = {"job_type": "noop", "parameters": {"webhook": {"url": receiver.url(), "token": "secret"}}}
    reply = await client.post("/api/jobs/", json=body)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["data"]["job_id"])


async def deliveries(client: httpx.AsyncClient, job_id: str) -> list[Json]:
    reply = await client.get(f"/api/jobs/{job_id}/deliveries")
    assert reply.status_code == 200, reply.text
    return list(reply.json()["data"]["deliveries"])


async def wait_for_outcome(client: httpx.AsyncClient, job_id: str, outcome: str, request: str | None = None) -> Json:
    """The delivery with which a final hook was settled so."""

    async def settled() -> Json | None:
        found = await deliveries(client, job_id)
        matching = [one for one in found if one["phase"] == "completed" and one["outcome"] == outcome]
        return next((one for one in matching if one.get("request") == request), None)

    found = await wait_until(settled, 30, f"the webhook of {job_id} to be {outcome}")
    assert found is not None
    return found


def finals(receiver: Receiver, job_id: str) -> list[Received]:
    return [
        one
        for one in receiver.received
        if one.json["process"]["id"] == job_id and one.json["phase"] in ("completed", "error")
    ]


async def test_an_abandoned_webhook_is_sent_again_under_the_same_id(system: System) -> None:
    async with Receiver() as receiver, stranger(system) as client, stranger(system) as other:
        receiver.answers("/hook", status(410))
        job_id = await create(client, receiver)
        given_up = await wait_for_outcome(client, job_id, "abandoned")
        assert given_up["reason"] == "the receiver answered 410"
        receiver.answers("/hook", status(200))
        path = f"/api/jobs/{job_id}/deliveries/redeliver"
        assert (await other.post(path)).status_code == 404, "foreign"
        before = len(receiver.received)

        reply = await client.post(path, json={"delivery_id": given_up["delivery_id"]})

        assert reply.status_code == 200, reply.text
        assert reply.headers["Piperoll-Position"]
        request = reply.json()["data"]["request"]
        outcomes = [(one["outcome"], one.get("request")) for one in await deliveries(client, job_id)]
        assert ("requested", request) in outcomes, "the answer waited for it"
        delivered = await wait_for_outcome(client, job_id, "delivered", request)
        assert delivered["attempt"] == given_up["attempt"] + 1
        first, second = finals(receiver, job_id)
        assert len(receiver.received) == before + 1, "no progress is sent again"
        assert first.headers["webhook-id"] == second.headers["webhook-id"] == given_up["delivery_id"]
        assert first.body == second.body
        assert second.headers["Authorization"] == "Bearer secret"
        log = [entry["message"] for entry in (await client.get(f"/api/jobs/{job_id}")).json()["data"]["logs"]]
        assert "Webhook (completed) was requested again" in log


async def test_a_webhook_on_its_own_schedule_is_refused(system: System) -> None:
    async with Receiver() as receiver, stranger(system) as client:
        receiver.answers("/hook", status(503, Retry_After="3600"))
        job_id = await create(client, receiver)
        failed = await wait_for_outcome(client, job_id, "failed")
        reply = await client.post(f"/api/jobs/{job_id}/deliveries/redeliver")
        assert reply.status_code == 409, reply.text
        error = reply.json()["error"]
        assert "own schedule" in error["message"]
        assert error["details"] == {"next_attempt_at": failed["next_attempt_at"]}


async def test_all_abandoned_webhooks_of_a_receiver_are_sent_again(system: System) -> None:
    async with Receiver() as receiver, stranger(system) as client:
        receiver.answers("/hook", status(410))
        jobs = [await create(client, receiver) for _ in range(5)]
        for job_id in jobs:
            await wait_for_outcome(client, job_id, "abandoned")
        receiver.answers("/hook", status(200))
        wanted = {"origin": receiver.origin, "since": LONG_AGO}

        counted = await client.post("/api/deliveries/redeliver", json=wanted)
        assert counted.json()["data"] == {"count": 5, "left": 5, "dry_run": True}
        asked = await client.post("/api/deliveries/redeliver", json={**wanted, "dry_run": False})
        assert asked.json()["data"] == {"count": 5, "left": 0, "dry_run": False}

        for job_id in jobs:
            await wait_until(lambda job=job_id: len(finals(receiver, job)) == 2, 30, "the webhook to be sent again")  # type: ignore[misc]
        again = await client.post("/api/deliveries/redeliver", json=wanted)
        assert again.json()["data"]["count"] == 0
    assert not (await system.verify()).violations
