"""Documents, folders and searches of the Devana API as a client uses them."""

from typing import Any
from uuid import uuid4

import httpx

from tests.support.stacks.system import System
from tests.support.waiting import wait_until

Json = dict[str, Any]
ENDED = ("DONE", "ERROR")


def data_of(reply: httpx.Response, status: int = 200) -> Any:
    assert reply.status_code == status, reply.text
    assert reply.json()["success"] is True
    return reply.json()["data"]


def refused(reply: httpx.Response, status: int, code: str) -> Json:
    assert reply.status_code == status, reply.text
    assert reply.json()["success"] is False
    assert reply.json()["error"]["code"] == code
    return dict(reply.json()["error"])


async def folder(system: System, **body: Any) -> str:
    return str(
        data_of(await system.client.post("/v1/folders", json={"name": f"Folder {uuid4().hex[:6]}", **body}))["id"]
    )


async def upload(system: System, name: str, content: bytes, folder_id: str | None = None) -> Json:
    """Takes a document in and waits until it was read."""
    data = {} if folder_id is None else {"folderId": folder_id}
    return dict(data_of(await system.client.post("/v1/documents?wait=180", files={"file": (name, content)}, data=data)))


async def ended(system: System, job: Json, seconds: float = 120) -> Json:
    """A job as GET /v1/jobs shows it, once it has ended."""

    async def look() -> Json | None:
        listed = data_of(await system.client.get("/v1/jobs", params={"targetId": job["targetId"]}))
        [found] = [one for one in listed if one["id"] == job["id"]]
        return found if found["status"] in ENDED else None

    found = await wait_until(look, seconds, f"{job['id']} to end", not_yet=(ValueError,))
    assert found is not None
    return found


async def reindexed(system: System, folder_id: str) -> Json:
    job = await ended(system, data_of(await system.client.post(f"/v1/folders/{folder_id}/reindex"), 202))
    assert job["status"] == "DONE", job
    return job


async def search(system: System, folder_id: str, query: str, **more: Any) -> list[Json]:
    reply = await system.client.get(f"/v1/folders/{folder_id}/search", params={"q": query, **more})
    return list(data_of(reply))
