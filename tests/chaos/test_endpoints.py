"""A registered endpoint is notified of every change of status, even if the notifier is killed."""

import asyncio

import httpx

from tests.support.files.pdf import pdf
from tests.support.servers.receiver import Receiver, status
from tests.support.stacks.system import Json, System
from tests.support.waiting import wait_until


async def test_killing_the_notifier_under_load_loses_and_reorders_no_notification(system: System) -> None:
    path = await asyncio.to_thread(pdf, system.files / "endpoint-chaos.pdf")
    headers = {"Authorization": f"Bearer {await system.create_key('endpoint-chaos')}"}
    async with (
        Receiver() as receiver,
        httpx.AsyncClient(base_url=system.stack.api_url, headers=headers, timeout=70) as client,
    ):
        receiver.answers("/hook", *[status(503)] * 3, status(200))

        async def create() -> str:
            body = {"job_type": "pdf", "parameters": {"filename": str(path)}}
            reply = await client.post("/api/jobs/", json=body)
            assert reply.status_code == 200, reply.text
            return str(reply.json()["data"]["job_id"])

        assert (await client.post("/v1/webhooks", json={"url": receiver.url()})).status_code == 200
        job_ids: list[str] = []
        for _ in range(3):
            job_ids += await asyncio.gather(*(create() for _ in range(40)))
            await system.stack.kill("notifier")
        await wait_until(lambda: all_notified(receiver, job_ids), 120, "a notification of the end of every job")
        for job_id, statuses in in_order(receiver).items():
            assert statuses == ["PENDING", "IN_PROGRESS", "DONE"], job_id
    assert not (await system.verify()).violations


def in_order(receiver: Receiver) -> dict[str, list[str]]:
    """The statuses of each job in order of their first arrival; a kill may repeat one under its id."""
    received: dict[str, dict[str, Json]] = {}
    for one in receiver.received:
        received.setdefault(one.json["jobId"], {}).setdefault(one.headers["webhook-id"], one.json)
    return {job_id: [body["status"] for body in bodies.values()] for job_id, bodies in received.items()}


def all_notified(receiver: Receiver, job_ids: list[str]) -> bool:
    received = in_order(receiver)
    return all("DONE" in received.get(job_id, []) for job_id in job_ids)
