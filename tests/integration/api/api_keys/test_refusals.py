"""Requests about API keys that are refused: callers, bodies, outages."""

import asyncpg
import httpx
import pytest

from tests.support.stacks.api import Api, refused
from tests.support.stacks.key_admin import Json, bearing, create, listed


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/keys"), ("POST", "/api/keys"), ("POST", "/api/keys/x/rotate"), ("DELETE", "/api/keys/x")],
)
async def test_only_an_admin_manages_keys(api: Api, method: str, path: str) -> None:
    plain, admin = await create(api, "jobs"), await create(api, "admin")
    reply = await api.client.request(method, path, headers=bearing(plain))
    refused(reply, 403, "FORBIDDEN")
    assert "'admin'" in reply.json()["error"]["message"]
    assert (await api.client.request(method, path, headers=bearing(admin))).status_code in (200, 400, 404)
    refused(await api.client.request(method, path, headers={"Authorization": "Bearer none"}), 401, "UNAUTHORIZED")


async def test_keys_of_the_settings_cannot_be_changed_over_http(api: Api) -> None:
    for method, path in (("DELETE", "/api/keys/bootstrap-1"), ("POST", "/api/keys/bootstrap-1/rotate")):
        reply = await api.client.request(method, path)
        refused(reply, 409, "CONFLICT")
        assert "PIPEROLL_BOOTSTRAP_KEYS" in reply.json()["error"]["message"]
    assert not any(key_id.startswith("bootstrap") for key_id in await listed(api))


@pytest.mark.parametrize("key_id", ["000000000000", "pr_x", "%00", "'"])
async def test_an_unknown_key_is_not_found(api: Api, key_id: str) -> None:
    refused(await api.client.delete(f"/api/keys/{key_id}"), 404, "NOT_FOUND")
    refused(await api.client.post(f"/api/keys/{key_id}/rotate"), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": ["jobs"]}, "owner"),
        ({"owner": "acme"}, "scopes"),
        ({"owner": "", "scopes": ["jobs"]}, "owner"),
        ({"owner": "../up", "scopes": ["jobs"]}, "owner"),
        ({"owner": "a" * 65, "scopes": ["jobs"]}, "owner"),
        ({"owner": "acme\n", "scopes": ["jobs"]}, "owner"),
        ({"owner": 5, "scopes": ["jobs"]}, "owner"),
        ({"owner": "acme", "scopes": []}, "scopes"),
        ({"owner": "acme", "scopes": "jobs"}, "scopes"),
        ({"owner": "acme", "scopes": ["jobs", "root"]}, "scopes"),
        ({"owner": "acme", "scopes": ["jobs"], "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"owner": "acme", "scopes": ["jobs"], "expires_at": "2999-01-01T00:00:00"}, "expires_at"),
        ({"owner": "acme", "scopes": ["jobs"], "expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
        ({"owner": "acme", "scopes": ["jobs"], "expires_at": "tomorrow"}, "expires_at"),
        ({"owner": "acme", "scopes": ["jobs"], "expires_at": 4102444800}, "expires_at"),
        ({"owner": "acme", "scopes": ["jobs"], "days": 5}, "days"),
    ],
)
async def test_an_invalid_key_is_refused_with_the_field(api: Api, body: Json, field: str) -> None:
    reply = await api.client.post("/api/keys", json=body)
    refused(reply, 400, "INVALID_PARAMETERS")
    assert reply.json()["error"]["details"]["fields"][0]["field"].split(".")[0] == field


async def test_without_postgres_keys_cannot_be_managed(api: Api, pool: asyncpg.Pool) -> None:
    made = await create(api)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        await connection.execute("LOCK TABLE access.keys IN ACCESS EXCLUSIVE MODE")
        for method, path, body in (
            ("GET", "/api/keys", None),
            ("POST", "/api/keys", {"owner": "acme", "scopes": ["jobs"]}),
            ("POST", f"/api/keys/{made['id']}/rotate", {}),
            ("DELETE", f"/api/keys/{made['id']}", None),
        ):
            reply = await api.client.request(method, path, json=body)
            refused(reply, 503, "READ_MODEL_UNAVAILABLE")
            assert reply.headers["Retry-After"]


async def test_a_body_that_is_not_json_is_a_400(api: Api) -> None:
    reply: httpx.Response = await api.client.post("/api/keys", content=b"owner=acme")
    refused(reply, 400, "INVALID_REQUEST")
