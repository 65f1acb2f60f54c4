"""API keys over HTTP, against a real Postgres: who may manage them, and from when on they are good or no longer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from piperoll import keys
from piperoll.settings import Settings
from services.api.http.access import Access
from services.api.http.errors import ApiError
from tests.support.stacks.api import Api, refused, serving
from tests.support.waiting import wait_until

Json = dict[str, Any]


@pytest.fixture(scope="module")
async def api(environment: dict[str, str]) -> AsyncIterator[Api]:
    """An API that remembers keys for a day: what it knows at once, it knows by itself."""
    async with serving({**environment, "PIPEROLL_KEY_CACHE_S": "86400"}) as serving_api:
        yield serving_api


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


async def test_a_key_is_shown_once_and_is_accepted(api: Api) -> None:
    owner = owner_name()
    reply = await api.client.post("/api/keys", json={"owner": owner, "scopes": ["jobs"]})
    assert reply.headers["Cache-Control"] == "no-store"
    made = reply.json()["data"]
    assert made.keys() == {"id", "owner", "scopes", "created_at", "key"}
    assert (made["owner"], made["scopes"]) == (owner, ["jobs"])
    assert made["key"].startswith(f"pr_{made['id']}.")
    assert await let_in(api, made)
    found = await listed(api)
    assert found[made["id"]] == {name: value for name, value in made.items() if name != "key"}
    assert next(iter(found)) == made["id"], "the newest first"


async def test_a_key_is_valid_until_it_expires(api: Api) -> None:
    ends = datetime.now(UTC) + timedelta(hours=1)
    made = await create(api, expires_at=ends.isoformat())
    assert await let_in(api, made)
    soon = await create(api, expires_at=(datetime.now(UTC) + timedelta(seconds=3)).isoformat())

    async def over() -> bool:
        return not await let_in(api, soon)

    await wait_until(over, 10, "the key to end")
    assert await let_in(api, made)
    assert (await listed(api))[made["id"]]["expires_at"] == ends.isoformat(timespec="seconds").replace("+00:00", "Z")


async def test_a_deleted_key_is_refused_at_once_and_stays_listed(api: Api) -> None:
    made = await create(api)
    assert await let_in(api, made), "now it is remembered"
    reply = await api.client.delete(f"/api/keys/{made['id']}")
    assert reply.status_code == 200, reply.text
    assert reply.json()["data"]["revoked_at"]
    assert not await let_in(api, made)
    assert (await api.client.delete(f"/api/keys/{made['id']}")).json() == reply.json(), "its first end stays"
    assert (await listed(api))[made["id"]] == reply.json()["data"]


async def test_a_rotated_key_is_valid_for_the_overlap_and_its_successor_expires_when_it_would_have(api: Api) -> None:
    ends = (datetime.now(UTC) + timedelta(days=90)).isoformat(timespec="seconds").replace("+00:00", "Z")
    old = await create(api, "admin", "jobs", expires_at=ends)
    assert await let_in(api, old)
    reply = await api.client.post(f"/api/keys/{old['id']}/rotate", json={"overlap_s": 2})
    assert reply.status_code == 200, reply.text
    assert reply.headers["Cache-Control"] == "no-store"
    new = reply.json()["data"]
    assert [new[name] for name in ("owner", "scopes", "expires_at")] == [old["owner"], ["admin", "jobs"], ends]
    assert new["replaces"]["id"] == old["id"]
    assert (await listed(api))[old["id"]]["expires_at"] == new["replaces"]["expires_at"]
    assert await let_in(api, new)
    assert await let_in(api, old)

    async def over() -> bool:
        return not await let_in(api, old)

    await wait_until(over, 10, "the old key to end")
    assert await let_in(api, new)
    refused(await api.client.post(f"/api/keys/{old['id']}/rotate"), 409, "CONFLICT")


async def test_an_overlap_of_0_ends_the_old_key_at_once_and_the_default_is_a_day(api: Api) -> None:
    old = await create(api)
    assert await let_in(api, old)
    new = (await api.client.post(f"/api/keys/{old['id']}/rotate", json={"overlap_s": 0})).json()["data"]
    assert "expires_at" not in new
    assert not await let_in(api, old)
    newest = (await api.client.post(f"/api/keys/{new['id']}/rotate")).json()["data"]
    left = datetime.fromisoformat(newest["replaces"]["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(days=1)


async def test_an_overlap_does_not_extend_a_key(api: Api) -> None:
    ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds").replace("+00:00", "Z")
    old = await create(api, expires_at=ends)
    new = (await api.client.post(f"/api/keys/{old['id']}/rotate")).json()["data"]
    assert new["expires_at"] == new["replaces"]["expires_at"] == ends


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


async def test_a_key_cannot_delete_itself(api: Api) -> None:
    admin = await create(api, "admin")
    path = f"/api/keys/{admin['id']}"
    refused(await api.client.delete(path, headers=bearing(admin)), 409, "CONFLICT")
    assert await let_in(api, admin)
    reply = await api.client.post(f"{path}/rotate", json={"overlap_s": 0}, headers=bearing(admin))
    assert reply.status_code == 200, "but exchanges it"
    heir = reply.json()["data"]
    assert not await let_in(api, admin)
    assert (await api.client.get("/api/keys", headers=bearing(heir))).status_code == 200
    assert (await api.client.delete(path, headers=bearing(heir))).status_code == 200


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


@pytest.mark.parametrize("overlap", [-1, "5", 30 * 86400 + 1, None, True])
async def test_an_invalid_overlap_is_refused(api: Api, overlap: Any) -> None:
    made = await create(api)
    reply = await api.client.post(f"/api/keys/{made['id']}/rotate", json={"overlap_s": overlap})
    refused(reply, 400, "INVALID_PARAMETERS")
    assert await let_in(api, made)


async def test_a_repeated_request_creates_no_second_key_and_names_the_first(api: Api) -> None:
    body, headers = {"owner": owner_name(), "scopes": ["jobs"]}, {"Idempotency-Key": uuid4().hex}
    replies = await asyncio.gather(*(api.client.post("/api/keys", json=body, headers=headers) for _ in range(5)))
    [made] = [reply.json()["data"] for reply in replies if reply.status_code == 200]
    again = await api.client.post("/api/keys", json=body, headers=headers)
    refused(again, 409, "CONFLICT")
    assert again.json()["error"]["details"] == {"id": made["id"]}
    path = f"/api/keys/{made['id']}/rotate"
    new = (await api.client.post(path, headers=headers)).json()["data"]
    ends = (await listed(api))[made["id"]]["expires_at"]
    again = await api.client.post(path, json={"overlap_s": 0}, headers=headers)
    refused(again, 409, "CONFLICT")
    assert again.json()["error"]["details"] == {"id": new["id"]}
    assert (await listed(api))[made["id"]]["expires_at"] == ends, "a refused repeat ends nothing"


async def test_without_postgres_keys_cannot_be_managed(api: Api, pool: asyncpg.Pool) -> None:
    made = await create(api)
    async with pool.acquire() as connection, connection.transaction():
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


async def test_a_key_that_is_revoked_during_its_lookup_is_not_cached(pool: asyncpg.Pool, settings: Settings) -> None:
    pepper = settings.key_pepper.get_secret_value()
    access = Access(pool, pepper, [], cache_s=86400, deadline_s=10)
    made, key = await keys.create(pool, pepper, owner_name())
    async with pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute("LOCK TABLE access.keys IN ACCESS EXCLUSIVE MODE")
            looking = asyncio.create_task(access.caller(key.encode()))
            blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'access.keys'::regclass"
            await wait_until(lambda: connection.fetchval(blocked), 10, "the look-up to begin")
            access.forget(made.key_id)
        assert (await looking).key_id == made.key_id
        await keys.revoke(pool, made.key_id)
    with pytest.raises(ApiError) as refusal:
        await access.caller(key.encode())
    assert refusal.value.status == 401


async def test_a_body_that_is_not_json_is_a_400(api: Api) -> None:
    reply: httpx.Response = await api.client.post("/api/keys", content=b"owner=acme")
    refused(reply, 400, "INVALID_REQUEST")
