"""Signing keys that the notifier remembers."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from piperoll.clock import utc_now
from piperoll.seal import Seal
from piperoll.settings import Settings
from piperoll.webhooks import signing_keys
from schemas.ids import draw_signing_key_id
from services.notifier.delivery import signing_keys as notifier_keys
from services.notifier.delivery.signing_keys import SigningKeyCache, SigningKeysAwayError

HOUR_S = 3600.0
OWNER = "owner"


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
