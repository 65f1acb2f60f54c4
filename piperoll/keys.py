"""API keys: creation, lookup by digest, rotation, revocation.

A key is `pr_<id>.<secret>` with a secret of 256 random bits, so a fast hash is sufficient. It is returned once, at its
creation; only its HMAC is stored. The pepper is a setting, not in the database.
"""

import asyncio
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from piperoll.postgres import load_queries, migrate

SCOPES = frozenset({"jobs", "submit", "read", "admin"})
"""`submit`: create, change, cancel, delete. `read`: read. `jobs`: both. All for one owner. `admin`: everything."""
COVERED_BY = {"submit": frozenset({"submit", "jobs", "admin"}), "read": frozenset({"read", "jobs", "admin"})}
"""The scopes that include another one."""

ID_CHARS = 12
SECRET_BYTES = 32
OWNER_RULE = "1 to 64 of A-Z a-z 0-9 _ . - and no leading dot"  # the owner is a folder name of uploads
OWNER_PATTERN = r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}"
COMMAND = "piperoll keys"
"""Who changed a key, if it was the command and not another key."""
CHANNEL = "piperoll_keys"
"""Notifications of Postgres with the id of each key that was rotated or revoked."""
_KEY = re.compile(r"pr_[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{43}")
_QUERIES = load_queries("piperoll", "keys.sql")


@dataclass(frozen=True, slots=True)
class Key:
    """The stored properties of a key; not the key itself."""

    key_id: str
    owner: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeyNote:
    """A change of a key, as its fact has it in `body`."""

    number: int
    key_id: str
    owner: str
    body: dict[str, Any]
    time: datetime


class KeyExistsError(Exception):
    """A key with this id exists; its secret cannot be returned again."""


class KeyEndedError(Exception):
    """The key was revoked or has expired."""


def is_owner(text: str) -> bool:
    """Whether `text` is a valid owner."""
    return re.fullmatch(OWNER_PATTERN, text) is not None


def is_key(text: str) -> bool:
    """Whether `text` has the form of a key, so that it may be one."""
    return _KEY.fullmatch(text) is not None


def derived_id(name: str) -> str:
    """Return the key id derived from a request's `name`, which is the same when the request is repeated."""
    return hashlib.sha256(name.encode()).hexdigest()[:ID_CHARS]


def digest(pepper: str, key: str) -> str:
    """Return the HMAC-SHA-256 of a key under the pepper, in hex."""
    return hmac.digest(pepper.encode(), key.encode(), "sha256").hex()


async def prepare(pool: asyncpg.Pool) -> None:
    """Create the schema if it is missing."""
    await migrate(pool, "piperoll", "access.sql")


async def create(
    pool: asyncpg.Pool,
    pepper: str,
    owner: str,
    scopes: Iterable[str] = ("jobs",),
    expires_at: datetime | None = None,
    key_id: str | None = None,
    by: str = COMMAND,
) -> tuple[Key, str]:
    """Create a key, as the key `by` asked for; return its properties and the key itself. Raises ValueError,
    KeyExistsError."""
    chosen = frozenset(scopes)
    if not is_owner(owner):
        raise ValueError(f"the owner {owner!r} is invalid: {OWNER_RULE}")
    if not chosen or chosen - SCOPES:
        raise ValueError(f"scopes must be {', '.join(sorted(SCOPES))}; invalid: {', '.join(sorted(chosen - SCOPES))}")
    await prepare(pool)
    key_id, key = _generate(key_id)
    try:
        rows = await pool.fetch(_QUERIES["create"], digest(pepper, key), key_id, owner, sorted(chosen), expires_at, by)
    except asyncpg.UniqueViolationError as error:
        raise KeyExistsError(key_id) from error
    return _key(rows[0]), key


async def rotate(
    pool: asyncpg.Pool, pepper: str, old_id: str, overlap_s: float, key_id: str | None = None, by: str = COMMAND
) -> tuple[Key, str, datetime] | None:
    """Create a key with the owner, scopes and expiry of another one, which ends after at most `overlap_s` seconds.

    Returns the new key's properties, the key, and the end of the old one; None when the old one does not exist. Raises
    KeyEndedError when the old one has already ended, KeyExistsError.
    """
    await prepare(pool)
    key_id, key = _generate(key_id)
    try:
        row = await pool.fetchrow(_QUERIES["rotate"], old_id, digest(pepper, key), key_id, overlap_s, by)
    except asyncpg.UniqueViolationError as error:
        raise KeyExistsError(key_id) from error
    if row is not None:
        return _key(row), key, row["ends_at"]
    if await pool.fetchval(_QUERIES["exists"], old_id):
        raise KeyEndedError(old_id)
    return None


async def find(pool: asyncpg.Pool, key_digest: str) -> Key | None:
    """Return the key of a digest; None when it does not exist, was revoked or has expired."""
    row = await pool.fetchrow(_QUERIES["find"], key_digest)
    return _key(row) if row else None


async def list_all(pool: asyncpg.Pool) -> list[Key]:
    """Return all keys, the newest first."""
    await prepare(pool)
    return [_key(row) for row in await pool.fetch(_QUERIES["list_all"])]


async def revoke(pool: asyncpg.Pool, key_id: str, by: str = COMMAND) -> Key | None:
    """Revoke a key and return it; None when the id does not exist. Running APIs refuse it within two seconds."""
    await prepare(pool)
    row = await pool.fetchrow(_QUERIES["revoke"], key_id, by)
    return _key(row) if row else None


async def relay_changes(pool: asyncpg.Pool, send: Callable[[KeyNote], Awaitable[None]]) -> int:
    """Send up to 100 changes of keys; return how many. One that was not sent is sent again, perhaps twice."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_QUERIES["take_changes"])
        notes = [
            KeyNote(row["id"], row["key_id"], row["owner"], json.loads(row["body"]), row["noted_at"])
            for row in sorted(rows, key=lambda row: row["id"])
        ]
        await asyncio.gather(*map(send, notes))  # at once: Postgres ends a transaction that is silent for long
    return len(rows)


async def check_line(connection: asyncpg.Connection, timeout_s: float) -> None:
    """Raise TimeoutError or an error of asyncpg if the connection does not answer."""
    await connection.fetchval(_QUERIES["check_line"], timeout=timeout_s)


def _generate(key_id: str | None) -> tuple[str, str]:
    """Return a key's id and a new key."""
    key_id = key_id or secrets.token_hex(ID_CHARS // 2)
    return key_id, f"pr_{key_id}.{secrets.token_urlsafe(SECRET_BYTES)}"


def _key(row: asyncpg.Record) -> Key:
    return Key(
        key_id=row["key_id"],
        owner=row["owner"],
        scopes=frozenset(row["scopes"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
