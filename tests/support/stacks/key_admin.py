"""API keys over HTTP."""

from typing import Any
from uuid import uuid4

from tests.support.stacks.api import Api

Json = dict[str, Any]


def owner_name() -> str:
    return f"owner-{uuid4().hex[:8]}"


async def create(api: Api, *scopes: str, owner: str | None = None, **more: Any) -> Json:
    body = {"owner": owner or owner_name(), "scopes": list(scopes or ("jobs",)), **more}
    reply = await api.client.post("/api/keys", json=body)
    assert reply.status_code == 200, reply.text
    return dict(reply.json()["data"])


def bearing(made: Json) -> dict[str, str]:
    return {"Authorization": f"Bearer {made['key']}"}


async def let_in(api: Api, made: Json) -> bool:
    reply = await api.client.get("/api/jobs/", headers=bearing(made), params={"limit": "0"})
    assert reply.status_code in (200, 401)
    return reply.status_code == 200


async def listed(api: Api) -> dict[str, Json]:
    reply = await api.client.get("/api/keys")
    assert reply.status_code == 200, reply.text
    return {key["id"]: key for key in reply.json()["data"]["keys"]}
