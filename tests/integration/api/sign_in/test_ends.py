"""When a session of the page ends: with its key, at its time, or by a sign-out, also one at another process."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from piperoll import keys, sign_in
from services.api.http.access import Access
from services.api.http.errors import ApiError
from tests.support.stacks.api import NOOP, Api
from tests.support.stacks.key_admin import create
from tests.support.stacks.sessions import browser, cookie_of, signed_in
from tests.support.stacks.sessions import sign_in as signs_in
from tests.support.waiting import PATIENCE_S, wait_until

HEARD_S = 2.0
PEPPER = "pepper"


async def revoke(pool: asyncpg.Pool, key_id: str) -> None:
    await keys.revoke(pool, key_id)


async def rotate_away(pool: asyncpg.Pool, key_id: str) -> None:
    await keys.rotate(pool, PEPPER, key_id, 0)


@pytest.mark.parametrize("end", [revoke, rotate_away])
async def test_a_session_ends_within_two_seconds_after_its_key_ended_elsewhere(
    api: Api, pool: asyncpg.Pool, end: Callable[[asyncpg.Pool, str], Awaitable[None]]
) -> None:
    made, other = await create(api), await create(api)
    async with browser(api) as client, browser(api) as staying:
        await signs_in(client, key=made["key"])
        await signs_in(staying, key=other["key"])
        assert await signed_in(client)
        began = time.monotonic()
        await end(pool, made["id"])

        async def refused() -> bool:
            return not await signed_in(client)

        await wait_until(refused, PATIENCE_S, "the API to refuse the session")
        assert time.monotonic() - began < HEARD_S
        assert await signed_in(staying)


async def test_a_session_that_was_ended_at_another_process_is_refused_within_two_seconds(
    api: Api, pool: asyncpg.Pool
) -> None:
    made = await create(api)
    async with browser(api) as client:
        await signs_in(client, key=made["key"])
        assert await signed_in(client)
        await pool.execute(
            "DELETE FROM access.sessions WHERE key_digest = (SELECT digest FROM access.keys WHERE key_id = $1)",
            made["id"],
        )
        assert await signed_in(client)  # it is remembered
        await sign_in.end(pool, "of that session", made["id"])

        async def refused() -> bool:
            return not await signed_in(client)

        await wait_until(refused, HEARD_S, "the API to refuse the session")


async def test_a_session_ends_when_its_key_expires(api: Api) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=90)
    made = await create(api, expires_at=soon.isoformat())
    async with browser(api) as client:
        reply = await signs_in(client, key=made["key"])
    assert abs(datetime.fromisoformat(reply.json()["data"]["ends_at"]) - soon) < timedelta(seconds=2)
    assert int(cookie_of(reply)["max-age"]) <= 90


async def test_a_session_ends_after_its_time(pool: asyncpg.Pool) -> None:
    access = Access(pool, PEPPER, ["chosen"], cache_s=86400, deadline_s=10)
    token = await begun(pool, lasts_s=0.5)
    access.hears(True)
    assert await let(access, token)

    async def refused() -> bool:
        return not await let(access, token)

    await wait_until(refused, PATIENCE_S, "the session to end")


async def test_a_session_of_a_key_of_the_settings_ends_when_the_key_is_not_there_any_more(pool: asyncpg.Pool) -> None:
    token = await begun(pool)
    for given, valid in ((["other", "chosen"], True), (["other"], False), ([], False)):
        assert await let(Access(pool, PEPPER, given, cache_s=86400, deadline_s=10), token) is valid


async def test_a_key_has_a_bounded_number_of_sessions_and_the_oldest_ends(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "MOST_SESSIONS", 2)
    access = Access(pool, PEPPER, ["chosen"], cache_s=0, deadline_s=10)
    tokens = [await begun(pool) for _ in range(3)]
    assert [await let(access, token) for token in tokens] == [False, True, True]


async def test_sessions_that_are_over_are_removed_from_the_table(pool: asyncpg.Pool) -> None:
    token = await begun(pool)
    await pool.execute("UPDATE access.sessions SET ends_at = now() WHERE digest = $1", keys.digest(PEPPER, token))
    await begun(pool)
    assert await pool.fetchval("SELECT count(*) FROM access.sessions WHERE ends_at <= now()") == 0


async def test_a_stream_of_a_session_ends_before_the_next_event_after_the_sign_out(api: Api) -> None:
    made = await create(api)
    async with browser(api) as client:
        await signs_in(client, key=made["key"])
        async with client.stream("GET", "/api/stream") as reply:
            received = reply.aiter_text()
            assert "event: open" in await anext(received)
            assert (await client.delete("/api/session")).status_code == 204
            await api.create(NOOP, Authorization=f"Bearer {made['key']}")
            rest = [text async for text in received]
    assert "event: job" not in "".join(rest)


async def begun(pool: asyncpg.Pool, lasts_s: float = 600) -> str:
    """The token of a new session of the key `chosen` of the settings."""
    await keys.prepare(pool)
    token = sign_in.draw(sign_in.TOKEN_PREFIX)
    await sign_in.begin(pool, keys.digest(PEPPER, token), keys.digest(PEPPER, "chosen"), lasts_s)
    return token


async def let(access: Access, token: str) -> bool:
    try:
        await access.session_caller(token)
    except ApiError as error:
        if error.status != 401:
            raise
        return False
    return True
