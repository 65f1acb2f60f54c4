"""The signing keys of owners in Postgres: created at the first use, sealed, rotated, ended."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import asyncpg

from piperoll.postgres import load_queries
from piperoll.seal import Seal, SealError
from piperoll.webhooks.signatures import SigningKey, draw_private_key, draw_secret, read_private_key
from schemas.ids import draw_signing_key_id

MAX_KEYS = 5  # each adds 150 bytes to a header, and servers accept about 8 KB of headers
CHANGED = "piperoll_signing_keys"
"""The channel of NOTIFY that names an owner whose keys were rotated or ended."""
_SQL = load_queries("piperoll.webhooks", "signing_keys.sql")

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[Any]"


class TooManyKeysError(Exception):
    """The owner has MAX_KEYS active keys; one must end before another is created."""


async def active(pool: asyncpg.Pool, seal: Seal, owner: str) -> list[SigningKey]:
    """Return an owner's active signing keys, the newest first; create the first one if there is none.

    Raises SealError for a key that no configured sealing key opens, and asyncpg's errors while Postgres is unavailable.
    The tables must exist (`piperoll.keys.prepare`).
    """
    rows = await pool.fetch(_SQL["active"], owner)
    if not _has_current(rows):
        rows = await _make_first(pool, seal, owner)
    return [_opened(seal, row) for row in rows]


async def rotate(pool: asyncpg.Pool, seal: Seal, owner: str, overlap_s: float, key_id: str) -> list[SigningKey]:
    """Create the key `key_id` and let the previous one end in `overlap_s` seconds; return as `active` does.

    Idempotent by `key_id`. Keys that cannot be opened are removed. Raises TooManyKeysError and asyncpg's errors.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_SQL["lock_owner"], owner)
        rows = await connection.fetch(_SQL["active"], owner)
        if not any(row["key_id"] == key_id for row in rows):
            unreadable = [row["key_id"] for row in rows if not _opens(seal, row)]
            if len(rows) - len(unreadable) >= MAX_KEYS:
                raise TooManyKeysError(owner)
            await connection.execute(_SQL["remove"], owner, unreadable)
            await connection.execute(_SQL["end_current"], owner, overlap_s)
            await _add(connection, seal, owner, key_id)
            await connection.execute(_SQL["announce"], CHANGED, owner)
            rows = await connection.fetch(_SQL["active"], owner)
    return [_opened(seal, row) for row in rows]


async def end(pool: asyncpg.Pool, seal: Seal, owner: str, key_id: str) -> list[SigningKey] | None:
    """End an active key at once; return the others as `active` does, None if the owner has no such key.

    If it was the newest key, a new one takes its place. Keys that cannot be opened are removed. Raises
    asyncpg's errors.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_SQL["lock_owner"], owner)
        rows = await connection.fetch(_SQL["active"], owner)
        if not any(row["key_id"] == key_id for row in rows):
            return None
        left = [row for row in rows if row["key_id"] != key_id and _opens(seal, row)]
        removed = {row["key_id"] for row in rows} - {row["key_id"] for row in left}
        await connection.execute(_SQL["remove"], owner, removed)
        if not _has_current(left):
            await _add(connection, seal, owner, draw_signing_key_id())
        await connection.execute(_SQL["announce"], CHANGED, owner)
        rows = await connection.fetch(_SQL["active"], owner)
    return [_opened(seal, row) for row in rows]


async def _make_first(pool: asyncpg.Pool, seal: Seal, owner: str) -> list[asyncpg.Record]:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_SQL["lock_owner"], owner)
        if not _has_current(await connection.fetch(_SQL["active"], owner)):
            await _add(connection, seal, owner, draw_signing_key_id())
        return await connection.fetch(_SQL["active"], owner)


async def _add(connection: Connection, seal: Seal, owner: str, key_id: str) -> None:
    """Add a key. The private key is independent of the secret, which receivers know."""
    await connection.execute(_SQL["add"], key_id, owner, seal.seal(draw_secret()), seal.seal(draw_private_key()))


def _has_current(rows: Sequence[asyncpg.Record]) -> bool:
    return any(row["active_until"] is None for row in rows)


def _opened(seal: Seal, row: asyncpg.Record) -> SigningKey:
    return SigningKey(
        row["key_id"],
        seal.open(row["secret"]),
        read_private_key(seal.open(row["private_key"])),
        row["active_until"],
    )


def _opens(seal: Seal, row: asyncpg.Record) -> bool:
    try:
        _opened(seal, row)
    except SealError:
        return False
    return True
