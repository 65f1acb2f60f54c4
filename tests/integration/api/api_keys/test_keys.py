"""API keys over HTTP, against a real Postgres: from when on they are valid, and no longer."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from piperoll import keys
from piperoll.settings import Settings
from services.api.http.access import Access
from services.api.http.errors import ApiError
from tests.support.stacks.api import Api, refused
from tests.support.stacks.key_admin import bearing, create, let_in, listed, owner_name
from tests.support.waiting import wait_until


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


async def test_a_key_that_is_revoked_during_its_lookup_is_not_cached(pool: asyncpg.Pool, settings: Settings) -> None:
    pepper = settings.key_pepper.get_secret_value()
    access = Access(pool, pepper, [], cache_s=86400, deadline_s=10)
    made, key = await keys.create(pool, pepper, owner_name())
    async with pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
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
