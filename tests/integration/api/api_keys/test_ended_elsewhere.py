"""Keys that another process ended: refused by every API process within two seconds, and what counts during outages."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from piperoll import keys
from piperoll.settings import Settings
from services.api.http.access import Access
from services.api.http.errors import ApiError
from services.api.http.key_changes import KeyChanges
from tests.support.stacks.api import Api
from tests.support.stacks.key_admin import bearing, create, let_in, owner_name
from tests.support.waiting import PATIENCE_S, wait_until

PEPPER = "pepper"
HEARD_S = 2.0
LISTENERS = (
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'piperoll api keys' AND datname = current_database()"
)


@asynccontextmanager
async def process(pool: asyncpg.Pool, settings: Settings) -> AsyncIterator[Access]:
    """The keys of one API process, which remembers them for a day."""
    access = Access(pool, PEPPER, [], cache_s=86400, deadline_s=10)
    before = len(await pool.fetch(LISTENERS))
    listening = asyncio.create_task(KeyChanges(settings.postgres_dsn.get_secret_value(), access).run())

    async def listens() -> bool:
        return len(await pool.fetch(LISTENERS)) > before and access._hears

    try:
        await wait_until(listens, PATIENCE_S, "the process to listen")
        yield access
    finally:
        listening.cancel()


async def let(access: Access, key: str) -> bool:
    try:
        await access.caller(key.encode())
    except ApiError as error:
        if error.status != 401:
            raise
        return False
    return True


async def test_a_key_that_was_revoked_elsewhere_is_refused_by_every_process_within_two_seconds(
    pool: asyncpg.Pool, settings: Settings
) -> None:
    made, key = await keys.create(pool, PEPPER, owner_name())
    async with process(pool, settings) as one, process(pool, settings) as two:
        assert await let(one, key)
        assert await let(two, key)
        began = time.monotonic()
        await keys.revoke(pool, made.key_id)

        async def refused() -> bool:
            return not await let(one, key) and not await let(two, key)

        await wait_until(refused, PATIENCE_S, "both processes to refuse the key")
        assert time.monotonic() - began < HEARD_S


async def test_a_key_that_was_rotated_elsewhere_without_an_overlap_is_refused(
    pool: asyncpg.Pool, settings: Settings
) -> None:
    made, key = await keys.create(pool, PEPPER, owner_name())
    async with process(pool, settings) as access:
        assert await let(access, key)
        assert await keys.rotate(pool, PEPPER, made.key_id, 0) is not None

        async def refused() -> bool:
            return not await let(access, key)

        await wait_until(refused, HEARD_S, "the process to refuse the key")


async def test_a_key_that_ended_while_the_process_did_not_listen_is_refused_when_it_listens_again(
    pool: asyncpg.Pool, settings: Settings
) -> None:
    made, key = await keys.create(pool, PEPPER, owner_name())
    async with process(pool, settings) as access:
        assert await let(access, key)
        async with pool.acquire() as connection, connection.transaction():
            # Both become visible together: no process listens when the notification is sent.
            await connection.execute("UPDATE access.keys SET revoked_at = now() WHERE key_id = $1", made.key_id)
            await connection.execute(f"SELECT pg_terminate_backend(pid) FROM ({LISTENERS}) AS listening")

        async def refused() -> bool:
            return not await let(access, key)

        await wait_until(refused, PATIENCE_S, "the process to look the key up again")


async def test_a_process_that_cannot_listen_asks_again_every_second(pool: asyncpg.Pool) -> None:
    access = Access(pool, PEPPER, [], cache_s=86400, deadline_s=10)
    made, key = await keys.create(pool, PEPPER, owner_name())
    assert await let(access, key)
    await keys.revoke(pool, made.key_id)

    async def refused() -> bool:
        return not await let(access, key)

    await wait_until(refused, HEARD_S, "the process to ask again")


async def test_while_postgres_is_away_the_old_answer_counts(database: str) -> None:
    own = await asyncpg.create_pool(database, min_size=1, max_size=1)
    access = Access(own, PEPPER, [], cache_s=86400, deadline_s=10)
    _, key = await keys.create(own, PEPPER, owner_name())
    access.hears(True)
    assert await let(access, key)
    await own.close()
    access.hears(False)
    assert await let(access, key), "known to be away"
    access.hears(True)
    assert await let(access, key), "the look-up after an interruption fails"


async def test_a_remembered_key_is_dropped_after_the_time_for_outages(database: str) -> None:
    own = await asyncpg.create_pool(database, min_size=1, max_size=1)
    access = Access(own, PEPPER, [], cache_s=0.2, deadline_s=10)
    _, key = await keys.create(own, PEPPER, owner_name())
    assert await let(access, key)
    await own.close()

    async def unknown() -> bool:
        try:
            await access.caller(key.encode())
        except ApiError as error:
            return error.status == 503
        return False

    await wait_until(unknown, 10, "the answer to be too old")


async def test_a_stream_ends_before_the_next_event_after_its_key_was_revoked_elsewhere(
    api: Api, pool: asyncpg.Pool
) -> None:
    owner = owner_name()
    ending, other = await create(api, owner=owner), await create(api, owner=owner)
    async with api.client.stream("GET", "/api/stream", headers=bearing(ending)) as reply:
        received = reply.aiter_text()
        assert "event: open" in await anext(received)
        await keys.revoke(pool, ending["id"])

        async def refused() -> bool:
            return not await let_in(api, ending)

        await wait_until(refused, HEARD_S, "the API to hear of it")
        await api.create(**bearing(other))
        rest = [text async for text in received]
    assert "event: job" not in "".join(rest)


@pytest.mark.parametrize("token", ["other", "pr_000000000000.short", "pr_.", f"pr_a b.{'x' * 43}", f"pr_a.{'x' * 44}"])
async def test_a_token_that_cannot_be_a_key_costs_no_query(database: str, token: str) -> None:
    own = await asyncpg.create_pool(database, min_size=1, max_size=1)
    await own.close()  # a query would fail, with 503
    assert not await let(Access(own, PEPPER, [], cache_s=1, deadline_s=1), token)
