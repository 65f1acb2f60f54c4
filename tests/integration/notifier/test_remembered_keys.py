"""Signing keys that the notifier remembers."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from piperoll.clock import utc_now
from piperoll.seal import Seal
from piperoll.settings import Settings
from piperoll.webhooks import signing_keys
from piperoll.webhooks.signatures import SigningKey
from schemas.ids import draw_signing_key_id
from services.notifier.delivery import signing_keys as notifier_keys
from services.notifier.delivery.signing_keys import SigningKeyCache, SigningKeysAwayError
from tests.support.waiting import PATIENCE_S, wait_until

HOUR_S = 3600.0
OWNER = "owner"
LISTENING = f"""FROM pg_stat_activity
WHERE datname = current_database() AND query ILIKE 'LISTEN%{signing_keys.CHANGED}%'"""


@pytest.fixture
def remembering(local: Settings, fresh: asyncpg.Pool) -> SigningKeyCache:
    return SigningKeyCache(fresh, Seal(local.sealing_keys), utc_now)


async def locked_out(pool: asyncpg.Pool, remembering: SigningKeyCache, *owners: str) -> list[bool]:
    """Of each owner, whether the keys were remembered while the table cannot be read."""
    remembered = []
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        await connection.execute("LOCK TABLE access.signing_keys")
        for owner in owners:
            try:
                remembered.append(bool(await remembering.of(owner)))
            except SigningKeysAwayError:
                remembered.append(False)
    return remembered


async def test_a_remembered_key_stops_signing_at_its_end(local: Settings, fresh: asyncpg.Pool) -> None:
    seal, now = Seal(local.sealing_keys), utc_now()
    remembering = SigningKeyCache(fresh, seal, lambda: now)
    await signing_keys.active(fresh, seal, OWNER)
    new, old = await signing_keys.rotate(fresh, seal, OWNER, HOUR_S, draw_signing_key_id())
    assert [key.key_id for key in await remembering.of(OWNER)] == [new.key_id, old.key_id]
    await fresh.execute("DELETE FROM access.signing_keys")  # whatever is returned now was remembered
    assert [key.key_id for key in await remembering.of(OWNER)] == [new.key_id, old.key_id]
    now += timedelta(seconds=HOUR_S + 60)
    assert [key.key_id for key in await remembering.of(OWNER)] == [new.key_id]


async def test_many_hooks_of_one_owner_and_of_others_at_once_get_their_owners_keys(
    remembering: SigningKeyCache, fresh: asyncpg.Pool
) -> None:
    owners = ["a", "b", "c"] * 20
    found = await asyncio.gather(*(remembering.of(owner) for owner in owners))
    rows = await fresh.fetch("SELECT owner, key_id FROM access.signing_keys")
    assert len(rows) == 3
    expected = {row["owner"]: row["key_id"] for row in rows}
    assert [key.key_id for (key,) in found] == [expected[owner] for owner in owners]


async def test_only_so_many_owners_are_remembered(
    remembering: SigningKeyCache, fresh: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier_keys, "MAX_OWNERS", 2)
    monkeypatch.setattr(notifier_keys, "READ_S", 0.1)
    for owner in ("a", "b", "c"):
        await remembering.of(owner)
    assert await locked_out(fresh, remembering, "a", "b", "c") == [False, True, True]


async def test_keys_that_cannot_be_read_are_away_and_there_again_as_soon_as_they_can(
    remembering: SigningKeyCache, fresh: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier_keys, "READ_S", 0.1)
    assert await locked_out(fresh, remembering, OWNER) == [False]
    assert len(await remembering.of(OWNER)) == 1


async def test_keys_that_change_while_they_are_read_are_not_remembered(
    remembering: SigningKeyCache, fresh: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = signing_keys.active

    async def slow(*arguments: Any) -> list[SigningKey]:
        found = await read(*arguments)
        remembering.forget(OWNER)  # as when the change is announced before the answer of the read was processed
        return found

    monkeypatch.setattr(notifier_keys.signing_keys, "active", slow)
    await remembering.of(OWNER)
    assert await locked_out(fresh, remembering, OWNER) == [False]


async def test_the_end_of_a_key_is_known_at_once_also_after_a_lost_connection(
    remembering: SigningKeyCache, local: Settings, fresh: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier_keys, "REMEMBER_S", 3600.0)
    stopping, seal = asyncio.Event(), Seal(local.sealing_keys)
    listening = asyncio.create_task(remembering.follow(stopping))
    try:
        await ended_at_once(remembering, seal, fresh)
        await fresh.execute(f"SELECT pg_terminate_backend(pid, 5000) {LISTENING}")
        await ended_at_once(remembering, seal, fresh)
    finally:
        stopping.set()
        await listening


async def ended_at_once(remembering: SigningKeyCache, seal: Seal, pool: asyncpg.Pool) -> None:
    """Ends a key that is remembered, and waits until the one in its place is known."""
    await wait_until(lambda: pool.fetchval(f"SELECT count(*) {LISTENING}"), PATIENCE_S, "the cache to listen")
    (key,) = await remembering.of(OWNER)
    (kept,) = await signing_keys.end(pool, seal, OWNER, key.key_id) or []

    async def known() -> bool:
        return [one.key_id for one in await remembering.of(OWNER)] == [kept.key_id]

    await wait_until(known, 5, "the new key to be known")
