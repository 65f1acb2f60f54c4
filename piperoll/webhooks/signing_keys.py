"""The keys that sign an owner's webhooks, as they lie in Postgres: made at the first need, sealed, rotated.

How they sign is `piperoll.webhooks.signatures`; who may see them is the API's business.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import asyncpg

from piperoll.postgres import load_queries
from piperoll.seal import Seal, SealError
from piperoll.webhooks.signatures import SigningKey, draw_private_key, draw_secret, read_private_key
from schemas.ids import draw_signing_key_id

MAX_KEYS = 5  # each adds 150 bytes to a header of every webhook, and servers take some 8 KB of headers
_SQL = load_queries("piperoll.webhooks", "signing_keys.sql")

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[Any]"


class TooManyKeysError(Exception):
    """An owner has MAX_KEYS keys already; one of them has to end before there can be another."""


async def active(pool: asyncpg.Pool, seal: Seal, owner: str) -> list[SigningKey]:
    """The keys that sign an owner's webhooks now, the newest first. Who has none gets one.

    Raises SealError for a key that no configured sealing key opens, and what asyncpg raises while Postgres is away.
    The tables must be there (`piperoll.keys.prepare`).
    """
    rows = await pool.fetch(_SQL["active"], owner)
    if not _has_current(rows):
        rows = await _make_first(pool, seal, owner)
    return [_opened(seal, row) for row in rows]


async def rotate(pool: asyncpg.Pool, seal: Seal, owner: str, overlap_s: float, key_id: str) -> list[SigningKey]:
    """A new key `key_id` beside the one before it, which ends in `overlap_s`; answers as `active` does.

    An id that is there already changes nothing, so a request may be repeated. A key that cannot be opened signs
    nothing and ends at once. Raises TooManyKeysError, and what asyncpg raises.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_SQL["lock_owner"], owner)
        rows = await connection.fetch(_SQL["active"], owner)
        if not any(row["key_id"] == key_id for row in rows):
            lost = [row["key_id"] for row in rows if not _opens(seal, row)]
            if len(rows) - len(lost) >= MAX_KEYS:
                raise TooManyKeysError(owner)
            await connection.execute(_SQL["remove"], owner, lost)
            await connection.execute(_SQL["end_current"], owner, overlap_s)
            await _add(connection, seal, owner, key_id)
            rows = await connection.fetch(_SQL["active"], owner)
    return [_opened(seal, row) for row in rows]


async def _make_first(pool: asyncpg.Pool, seal: Seal, owner: str) -> list[asyncpg.Record]:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_SQL["lock_owner"], owner)
        if not _has_current(await connection.fetch(_SQL["active"], owner)):
            await _add(connection, seal, owner, draw_signing_key_id())
        return await connection.fetch(_SQL["active"], owner)


async def _add(connection: Connection, seal: Seal, owner: str, key_id: str) -> None:
    """Secret and private key are drawn apart: receivers know the one, and must not come to the other by it."""
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
