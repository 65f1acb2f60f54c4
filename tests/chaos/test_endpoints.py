"""A registered endpoint is told of every change of status, whatever is killed meanwhile."""

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
        await wait_until(lambda: all_told(receiver, job_ids), 120, "the end of every job to be told")
        for job_id, statuses in in_order(receiver).items():
            assert statuses == ["PENDING", "IN_PROGRESS", "DONE"], job_id
    assert not (await system.verify()).violations


def in_order(receiver: Receiver) -> dict[str, list[str]]:
    """By job, the changes in the order in which each first came; a kill may have one repeated under its id."""
    told: dict[str, dict[str, Json]] = {}
    for one in receiver.received:
        told.setdefault(one.json["jobId"], {}).setdefault(one.headers["webhook-id"], one.json)
    return {job_id: [body["status"] for body in bodies.values()] for job_id, bodies in told.items()}


def all_told(receiver: Receiver, job_ids: list[str]) -> bool:
    told = in_order(receiver)
    return all("DONE" in told.get(job_id, []) for job_id in job_ids)
