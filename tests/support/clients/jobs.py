"""Requests to the job API that several tests make."""

from typing import Any
from uuid import uuid4

import httpx

from tests.support.stacks.system import ENDED, Json, System


async def stranger(system: System) -> httpx.AsyncClient:
    """A client of an owner who has no job yet."""
    key = await system.create_key(f"owner-{uuid4().hex[:8]}")
    return httpx.AsyncClient(base_url=system.stack.api_url, headers={"Authorization": f"Bearer {key}"}, timeout=70)


async def listed(client: httpx.AsyncClient, path: str = "/api/jobs/", **query: Any) -> Json:
    """The data of a list."""
    reply = await client.get(path, params=query)
    assert reply.status_code == 200, reply.text
    assert reply.json()["status"] == "success"
    return dict(reply.json()["data"])


async def posted(client: httpx.AsyncClient, path: str, body: Any) -> Json:
    """The data of a creation."""
    reply = await client.post(path, json=body)
    assert reply.status_code == 200, reply.text
    return dict(reply.json()["data"])


async def ended(client: httpx.AsyncClient, job_id: str) -> None:
    """Wait until a job has ended. A long poll answers at each change of status, and a retry makes several."""
    for _ in range(10):
        reply = await client.get(f"/api/jobs/{job_id}", params={"wait": 30})
        if reply.json()["data"]["status"] in ENDED:
            return
    raise AssertionError(f"{job_id} did not end")


def noop(user_id: str | None = None, **parameters: Any) -> Json:
    """A job's body."""
    job: Json = {"job_type": "noop", "parameters": parameters}
    return job if user_id is None else {**job, "user_id": user_id}


def refused(reply: httpx.Response, status: int, code: str) -> Json:
    """The error of a refusal."""
    assert reply.status_code == status, reply.text
    assert reply.json()["error"]["code"] == code
    return dict(reply.json()["error"])
