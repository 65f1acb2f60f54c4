"""Signing keys in a real Postgres: made once, sealed, rotated, ended."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from piperoll.clock import utc_now
from piperoll.postgres import connect_pool
from piperoll.seal import Seal, SealError
from piperoll.webhooks import signing_keys
from piperoll.webhooks.signatures import SigningKey
from schemas.ids import draw_signing_key_id
from services.api.http.errors import ApiError
from services.api.signing_keys.commands import SigningKeyAdmin

HOUR_S = 3600.0
OLD, NEW = bytes(range(32)), bytes(range(1, 33))
SEAL = Seal({"k1": OLD})


@pytest.fixture
async def another(database: str) -> AsyncIterator[asyncpg.Pool]:
    """A connection pool that stands for another process."""
    connections = await connect_pool(database)
    yield connections
    await connections.close()


@pytest.fixture
def owner() -> str:
    return f"owner-{uuid4().hex[:8]}"


async def rotated(pool: asyncpg.Pool, owner: str, key_id: str | None = None, seal: Seal = SEAL) -> list[SigningKey]:
    return await signing_keys.rotate(pool, seal, owner, HOUR_S, key_id or draw_signing_key_id())


def ids(found: list[SigningKey]) -> list[str]:
    return [key.key_id for key in found]


async def end(pool: asyncpg.Pool, key_id: str) -> None:
    """Lets a key's overlap be over."""
    await pool.execute("UPDATE access.signing_keys SET active_until = now() WHERE key_id = $1", key_id)


async def test_concurrent_first_uses_get_the_same_key(ready: asyncpg.Pool, another: asyncpg.Pool, owner: str) -> None:
    asked = [signing_keys.active(one, SEAL, owner) for one in (ready, another) * 10]
    found = [(key.key_id, key.secret, key.public_key) for (key,) in await asyncio.gather(*asked)]
    assert len(set(found)) == 1


async def test_the_previous_key_signs_until_the_overlap_ends(ready: asyncpg.Pool, owner: str) -> None:
    (first,) = await signing_keys.active(ready, SEAL, owner)
    new, old = await rotated(ready, owner)
    assert (old.key_id, old.secret, old.public_key) == (first.key_id, first.secret, first.public_key)
    assert new.active_until is None
    assert old.active_until is not None
    assert abs(old.active_until - utc_now() - timedelta(seconds=HOUR_S)) < timedelta(minutes=1)
    assert ids(await signing_keys.active(ready, SEAL, owner)) == [new.key_id, old.key_id]

    await end(ready, old.key_id)
    assert ids(await signing_keys.active(ready, SEAL, owner)) == [new.key_id]
    newest, kept = await rotated(ready, owner)
    assert kept.key_id == new.key_id
    left = await ready.fetch("SELECT key_id FROM access.signing_keys WHERE owner = $1", owner)
    assert {row["key_id"] for row in left} == {newest.key_id, new.key_id}, "an ended secret does not lie around"


async def test_a_later_rotation_does_not_prolong_an_earlier_one(ready: asyncpg.Pool, owner: str) -> None:
    await signing_keys.active(ready, SEAL, owner)
    before = (await rotated(ready, owner))[1].active_until
    third = await rotated(ready, owner)
    assert third[2].active_until == before


async def test_a_rotation_for_an_owner_without_a_key_creates_one(ready: asyncpg.Pool, owner: str) -> None:
    (only,) = await rotated(ready, owner, "signing-mine")
    assert (only.key_id, only.active_until) == ("signing-mine", None)


async def test_concurrent_rotations_and_first_uses_leave_one_newest_key(
    ready: asyncpg.Pool, another: asyncpg.Pool, owner: str
) -> None:
    together = [rotated(one, owner) for one in (ready, another)]
    needed = [signing_keys.active(one, SEAL, owner) for one in (ready, another) * 3]
    await asyncio.gather(*together, *needed)
    found = await signing_keys.active(ready, SEAL, owner)
    assert [key.active_until is None for key in found] == [True] + [False] * (len(found) - 1)
    assert 2 <= len(found) <= 3


async def test_a_repeated_rotation_rotates_once(ready: asyncpg.Pool, owner: str) -> None:
    await signing_keys.active(ready, SEAL, owner)
    once = await rotated(ready, owner, f"signing-{owner}")
    again = await rotated(ready, owner, f"signing-{owner}")
    assert ids(once) == ids(again)
    assert len(again) == 2


async def test_an_owner_has_a_maximum_of_keys(ready: asyncpg.Pool, owner: str) -> None:
    for _ in range(signing_keys.MAX_KEYS):
        found = await rotated(ready, owner)
    with pytest.raises(signing_keys.TooManyKeysError):
        await rotated(ready, owner)
    assert ids(await signing_keys.active(ready, SEAL, owner)) == ids(found), "the refusal changed nothing"
    await end(ready, found[-1].key_id)
    assert len(await rotated(ready, owner)) == signing_keys.MAX_KEYS


async def test_each_owner_has_separate_keys(ready: asyncpg.Pool, owner: str) -> None:
    (mine,) = await signing_keys.active(ready, SEAL, owner)
    (theirs,) = await signing_keys.active(ready, SEAL, f"{owner}-2")
    assert mine.secret != theirs.secret
    assert mine.public_key != theirs.public_key
    await rotated(ready, owner)
    assert ids(await signing_keys.active(ready, SEAL, f"{owner}-2")) == [theirs.key_id]


async def test_secrets_are_sealed_in_the_table(ready: asyncpg.Pool, owner: str) -> None:
    (key,) = await signing_keys.active(ready, SEAL, owner)
    row = await ready.fetchrow("SELECT * FROM access.signing_keys WHERE owner = $1", owner)
    assert row is not None
    written = " ".join(str(value) for value in row.values())
    private = base64.b64encode(key.private_key.private_bytes_raw()).decode()
    for secret in (key.secret.removeprefix("whsec_"), private):
        assert secret not in written
    assert row["secret"].startswith("k1.")
    assert row["private_key"].startswith("k1.")


async def test_a_key_survives_a_new_sealing_key_which_seals_the_next_one(ready: asyncpg.Pool, owner: str) -> None:
    (first,) = await signing_keys.active(ready, SEAL, owner)
    both = Seal({"k2": NEW, "k1": OLD})
    assert [key.secret for key in await signing_keys.active(ready, both, owner)] == [first.secret]
    new, old = await rotated(ready, owner, seal=both)
    assert old.secret == first.secret
    await end(ready, old.key_id)
    assert ids(await signing_keys.active(ready, Seal({"k2": NEW}), owner)) == [new.key_id], "the old one is not needed"


async def test_a_key_with_a_lost_sealing_key_is_named_and_can_be_rotated(ready: asyncpg.Pool, owner: str) -> None:
    await signing_keys.active(ready, SEAL, owner)
    without = Seal({"k2": NEW})
    with pytest.raises(SealError, match="'k1' is not configured"):
        await signing_keys.active(ready, without, owner)
    (only,) = await rotated(ready, owner, seal=without)
    assert ids(await signing_keys.active(ready, without, owner)) == [only.key_id]


async def test_an_admin_gets_an_error_for_a_lost_sealing_key_and_can_rotate(ready: asyncpg.Pool, owner: str) -> None:
    await signing_keys.active(ready, SEAL, owner)
    shown = SigningKeyAdmin(ready, Seal({"k2": NEW}), HOUR_S, 5.0)
    with pytest.raises(ApiError, match="PIPEROLL_SEAL_KEYS") as refused:
        await shown.of_owner(owner)
    assert refused.value.status == 500
    rotated = await shown.rotate(owner, None)
    assert await shown.of_owner(owner) == rotated
    assert len(rotated["keys"]) == 1


async def test_without_postgres_keys_are_unavailable(ready: asyncpg.Pool, owner: str) -> None:
    impatient = SigningKeyAdmin(ready, SEAL, HOUR_S, 0.1)
    async with ready.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        await connection.execute("LOCK TABLE access.signing_keys")
        for asked in (impatient.of_owner(owner), impatient.rotate(owner, None)):
            with pytest.raises(ApiError) as refused:
                await asked
            assert refused.value.status == 503


async def test_a_key_that_is_ended_signs_no_more_and_another_one_takes_the_place_of_the_newest(
    ready: asyncpg.Pool, owner: str
) -> None:
    await signing_keys.active(ready, SEAL, owner)
    new, old = await rotated(ready, owner)
    assert ids(await signing_keys.end(ready, SEAL, owner, old.key_id) or []) == [new.key_id]
    (other,) = await signing_keys.end(ready, SEAL, owner, new.key_id) or []
    assert other.key_id not in (new.key_id, old.key_id)
    assert other.secret not in (new.secret, old.secret)
    assert other.active_until is None
    left = await ready.fetch("SELECT key_id FROM access.signing_keys WHERE owner = $1", owner)
    assert [row["key_id"] for row in left] == [other.key_id], "an ended secret does not lie around"


async def test_only_an_active_key_of_the_owner_can_be_ended(ready: asyncpg.Pool, owner: str) -> None:
    (mine,) = await signing_keys.active(ready, SEAL, owner)
    (theirs,) = await signing_keys.active(ready, SEAL, f"{owner}-2")
    for key_id in (theirs.key_id, "signing-unknown", "", "a\0b"):
        assert await signing_keys.end(ready, SEAL, owner, key_id) is None
    assert ids(await signing_keys.active(ready, SEAL, owner)) == [mine.key_id]
    assert ids(await signing_keys.active(ready, SEAL, f"{owner}-2")) == [theirs.key_id]


async def test_five_keys_are_no_hindrance_to_the_end_of_one(ready: asyncpg.Pool, owner: str) -> None:
    for _ in range(signing_keys.MAX_KEYS):
        found = await rotated(ready, owner)
    left = await signing_keys.end(ready, SEAL, owner, found[0].key_id)
    assert left is not None
    assert ids(left)[1:] == ids(found)[1:]
    assert left[0].key_id != found[0].key_id


async def test_a_key_can_be_ended_while_another_one_cannot_be_opened(ready: asyncpg.Pool, owner: str) -> None:
    await signing_keys.active(ready, SEAL, owner)
    without = Seal({"k2": NEW})
    (second,) = await rotated(ready, owner, seal=without)
    await ready.execute(
        "INSERT INTO access.signing_keys SELECT $1, owner, 'k9.x', 'k9.x', created_at - interval '1 hour',"
        " clock_timestamp() + interval '1 hour' FROM access.signing_keys WHERE key_id = $2",
        f"signing-{owner}-lost",
        second.key_id,
    )
    (third,) = await signing_keys.end(ready, without, owner, second.key_id) or []
    assert third.key_id not in (second.key_id, f"signing-{owner}-lost")
