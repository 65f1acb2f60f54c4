"""API keys: how they are made, digested, looked up and ended. Whom a request lets in is the API's business.

A key is `pr_<id>.<secret>` with a secret of 256 drawn bits, so a fast hash is enough; it is shown once, when it is
made, and only its HMAC is kept. The pepper stands in the settings, not in the database.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from piperoll.postgres import load_queries, migrate

SCOPES = frozenset({"jobs", "admin"})
"""`jobs`: create, read and cancel one's own jobs. `admin`: everything."""

ID_CHARS = 12
SECRET_BYTES = 32
OWNER_RULE = "1 to 64 of A-Z a-z 0-9 _ . - and no leading dot"  # owners name folders of uploads
_OWNER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")
_QUERIES = load_queries("piperoll", "keys.sql")


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key, which is everything but the key."""

    key_id: str
    owner: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class KeyExistsError(Exception):
    """There is a key of this id already, and what it is cannot be told again."""


class KeyEndedError(Exception):
    """The key was revoked or has expired."""


def is_owner(text: str) -> bool:
    """Whether an owner may be called so."""
    return _OWNER.fullmatch(text) is not None


def derived_id(name: str) -> str:
    """The id of the key that a request makes which bears `name`: the same at each repeat."""
    return hashlib.sha256(name.encode()).hexdigest()[:ID_CHARS]


def digest(pepper: str, key: str) -> str:
    """What is stored of a key: HMAC-SHA-256 under the pepper, in hex."""
    return hmac.digest(pepper.encode(), key.encode(), "sha256").hex()


async def prepare(pool: asyncpg.Pool) -> None:
    """Makes the schema where it is missing."""
    await migrate(pool, "piperoll", "access.sql")


async def create(
    pool: asyncpg.Pool,
    pepper: str,
    owner: str,
    scopes: Iterable[str] = ("jobs",),
    expires_at: datetime | None = None,
    key_id: str | None = None,
) -> tuple[Key, str]:
    """Makes a key of `owner`: what is known of it, and the key itself, which cannot be had again.

    Its id is drawn if none is given. Raises ValueError for an owner or a scope that cannot be, KeyExistsError.
    """
    chosen = frozenset(scopes)
    if not is_owner(owner):
        raise ValueError(f"{owner!r} is no owner: {OWNER_RULE}")
    if not chosen or chosen - SCOPES:
        raise ValueError(f"scopes are {', '.join(sorted(SCOPES))}; not {', '.join(sorted(chosen - SCOPES))}")
    await prepare(pool)
    key_id, key = _drawn(key_id)
    try:
        rows = await pool.fetch(_QUERIES["create"], digest(pepper, key), key_id, owner, sorted(chosen), expires_at)
    except asyncpg.UniqueViolationError as error:
        raise KeyExistsError(key_id) from error
    return _key(rows[0]), key


async def rotate(
    pool: asyncpg.Pool, pepper: str, old_id: str, overlap_s: float, key_id: str | None = None
) -> tuple[Key, str, datetime] | None:
    """Makes a key of the owner, scopes and expiry of another one, which stays good for `overlap_s` seconds at most.

    What is known of the new key, the key itself, and when the old one ends; None when there is no old one. Raises
    KeyEndedError for one that has ended already, KeyExistsError.
    """
    await prepare(pool)
    key_id, key = _drawn(key_id)
    try:
        row = await pool.fetchrow(_QUERIES["rotate"], old_id, digest(pepper, key), key_id, overlap_s)
    except asyncpg.UniqueViolationError as error:
        raise KeyExistsError(key_id) from error
    if row is not None:
        return _key(row), key, row["ends_at"]
    if await pool.fetchval(_QUERIES["known"], old_id):
        raise KeyEndedError(old_id)
    return None


async def find(pool: asyncpg.Pool, key_digest: str) -> Key | None:
    """The key of a digest, or None when there is none, or it was revoked or has expired."""
    row = await pool.fetchrow(_QUERIES["find"], key_digest)
    return _key(row) if row else None


async def list_all(pool: asyncpg.Pool) -> list[Key]:
    """Every key there ever was, the newest first."""
    await prepare(pool)
    return [_key(row) for row in await pool.fetch(_QUERIES["list_all"])]


async def revoke(pool: asyncpg.Pool, key_id: str) -> Key | None:
    """Ends a key; None when there is no such id. Running API processes know within PIPEROLL_KEY_CACHE_S."""
    await prepare(pool)
    row = await pool.fetchrow(_QUERIES["revoke"], key_id)
    return _key(row) if row else None


def _drawn(key_id: str | None) -> tuple[str, str]:
    """A key's id and the key."""
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
