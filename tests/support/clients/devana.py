"""A client of the Devana API, and the notifications at its receiver."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.support.servers.receiver import Receiver
from tests.support.stacks.system import Json, System


class Client:
    """The API under the key of one owner."""

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


def statuses_of(receiver: Receiver, job_id: str, path: str = "/hook") -> list[str]:
    return [one.json["status"] for one in receiver.at(path) if one.json["jobId"] == job_id]


async def wait_for_statuses(receiver: Receiver, job_id: str, *statuses: str, path: str = "/hook") -> list[Json]:
    """The notifications of a job, as soon as there is one for each status; their order must be that of `statuses`."""
    await receiver.wait_for(
        lambda it: len(statuses_of(it, job_id, path)) >= len(statuses), 60, f"{statuses} of {job_id}"
    )
    assert statuses_of(receiver, job_id, path) == list(statuses)
    return [one.json for one in receiver.at(path) if one.json["jobId"] == job_id]


def refusal(reply: httpx.Response, code: int) -> Json:
    assert reply.status_code == code, reply.text
    assert reply.json()["success"] is False
    assert set(reply.json()["error"]) == {"code", "message", "details"}
    return dict(reply.json()["error"])
