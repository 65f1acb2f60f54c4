"""One-time links to a session of the page."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from piperoll import keys, sign_in
from piperoll.settings import Settings
from tests.support.stacks.api import Api, refused
from tests.support.stacks.key_admin import bearing, create
from tests.support.stacks.sessions import browser, nonce_of, signed_in
from tests.support.stacks.sessions import sign_in as signs_in


async def test_a_nonce_is_valid_once(api: Api) -> None:
    nonce = await nonce_of(api, (await create(api))["key"])
    async with browser(api) as first, browser(api) as second:
        await signs_in(first, nonce=nonce)
        reply = await second.post("/api/session", json={"nonce": nonce})
        refused(reply, 401, "UNAUTHORIZED")
        assert "`piperoll link` prints a new one" in reply.json()["error"]["message"]
        assert nonce not in reply.text
        assert await signed_in(first)


async def test_a_nonce_expires_after_ten_minutes(api: Api, pool: asyncpg.Pool, settings: Settings) -> None:
    reply = await api.client.post("/api/session/nonces", headers=bearing(await create(api)))
    left = datetime.fromisoformat(reply.json()["data"]["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    nonce = reply.json()["data"]["nonce"]
    digest = keys.digest(settings.key_pepper.get_secret_value(), nonce)
    assert await pool.execute("UPDATE access.nonces SET expires_at = now() WHERE digest = $1", digest) == "UPDATE 1"
    async with browser(api) as client:
        refused(await client.post("/api/session", json={"nonce": nonce}), 401, "UNAUTHORIZED")


async def test_a_nonce_ends_with_its_key(api: Api, pool: asyncpg.Pool) -> None:
    made = await create(api)
    nonce = await nonce_of(api, made["key"])
    await keys.revoke(pool, made["id"])
    async with browser(api) as client:
        refused(await client.post("/api/session", json={"nonce": nonce}), 401, "UNAUTHORIZED")


async def test_a_link_is_made_with_a_key_and_not_with_a_session(api: Api) -> None:
    async with browser(api) as client:
        await signs_in(client, key=(await create(api))["key"])
        refused(await client.post("/api/session/nonces"), 403, "FORBIDDEN")


async def test_a_key_has_a_bounded_number_of_links_and_the_newest_are_valid(
    api: Api, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "MOST_NONCES", 2)
    made = await create(api)
    first, *newest = [await nonce_of(api, made["key"]) for _ in range(3)]
    async with browser(api) as client:
        refused(await client.post("/api/session", json={"nonce": first}), 401, "UNAUTHORIZED")
        for nonce in newest:
            await signs_in(client, nonce=nonce)


async def test_neither_tokens_nor_nonces_are_stored(api: Api, pool: asyncpg.Pool) -> None:
    nonce = await nonce_of(api, (await create(api))["key"])
    async with browser(api) as client:
        await signs_in(client, key=(await create(api))["key"])
        (token,) = client.cookies.values()
    rows = await pool.fetch(
        "SELECT n::text AS row FROM access.nonces n UNION ALL SELECT s::text FROM access.sessions s"
    )
    stored = "".join(row["row"] for row in rows)
    assert len(rows) >= 2
    assert not [secret for secret in (nonce, token) if secret in stored or secret.partition("_")[2] in stored]
