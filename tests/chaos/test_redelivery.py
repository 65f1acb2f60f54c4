"""Requested redeliveries arrive, even if the notifier is killed."""

import asyncio

import httpx

from tests.support.servers.receiver import Receiver, status
from tests.support.stacks.system import Json, System
from tests.support.waiting import wait_until

JOBS = 60


async def test_killing_the_notifier_loses_no_redelivery(system: System) -> None:
    headers = {"Authorization": f"Bearer {await system.create_key('redelivery-chaos')}"}
    async with (
        Receiver() as receiver,
        httpx.AsyncClient(base_url=system.stack.api_url, headers=headers, timeout=70) as client,
    ):
        receiver.answers("/hook", status(410))
        body = {"job_type": "noop", "parameters": {"webhook": {"url": receiver.url()}}}
        replies = await asyncio.gather(*(client.post("/api/jobs/", json=body) for _ in range(JOBS)))
        job_ids = {reply.json()["data"]["job_id"] for reply in replies}
        wanted: Json = {"origin": receiver.origin, "since": "2020-01-01T00:00:00Z"}

        async def all_abandoned() -> bool:
            return bool((await redeliver(client, wanted))["count"] == JOBS)

        await wait_until(all_abandoned, 60, "every webhook to be abandoned")
        refused = len(receiver.received)
        receiver.answers("/hook", *[status(503)] * 5, status(200))
        assert (await redeliver(client, {**wanted, "dry_run": False}))["count"] == JOBS
        await system.stack.kill("notifier")
        await wait_until(lambda: len(receiver.received) > refused + JOBS / 3, 60, "some to be sent again")
        await system.stack.kill("notifier")

        async def delivered(job_id: str) -> bool:
            found = (await client.get(f"/api/jobs/{job_id}/deliveries")).json()["data"]["deliveries"]
            return found[-1]["outcome"] == "delivered"

        for job_id in job_ids:
            await wait_until(lambda job=job_id: delivered(job), 60, f"{job_id} to be delivered")  # type: ignore[misc]
        finals = [one for one in receiver.received[refused:] if one.json["phase"] == "completed"]
        assert len(finals) == len(receiver.received) - refused, "nothing but the final hooks"
        assert {one.json["process"]["id"] for one in finals} == job_ids
        assert len({one.headers["webhook-id"] for one in finals}) == JOBS
    assert not (await system.verify()).violations


async def redeliver(client: httpx.AsyncClient, body: Json) -> Json:
    reply = await client.post("/api/deliveries/redeliver", json=body)
    assert reply.status_code == 200, reply.text
    return dict(reply.json()["data"])
