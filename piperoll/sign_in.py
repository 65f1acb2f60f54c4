"""Sessions of the page, and one-time links to one. Each is of an API key, and ends with it.

A session is named by a token in a cookie, a link by a nonce, both of 256 random bits: a fast hash is sufficient. Only
their HMAC is stored (`piperoll.keys.digest`), beside that of the key. A key is in the table of keys or in the settings;
of the latter the caller of these functions knows the digests.
"""

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from piperoll.postgres import load_queries

SECRET_BYTES = 32
NONCE_S = 600.0  # how long a link is valid
MOST_SESSIONS = 100  # of one key; another one ends the oldest
MOST_NONCES = 20  # of one key that were not used
NONCE_PREFIX, TOKEN_PREFIX = "pn_", "ps_"
_SECRET = re.compile(r"p[ns]_[A-Za-z0-9_-]{43}")
_QUERIES = load_queries("piperoll", "sign_in.sql")


@dataclass(frozen=True, slots=True)
class Holder:
    """The key of a session: by its digest alone if it is not in the table of keys."""

    key_digest: str
    key_id: str | None
    owner: str | None
    scopes: frozenset[str]
    ends_at: datetime


def draw(prefix: str) -> str:
    """Return a new token or nonce."""
    return prefix + secrets.token_urlsafe(SECRET_BYTES)


def has_form(prefix: str, text: str) -> bool:
    """Whether `text` has the form of a token or nonce, so that it may be one."""
    return text.startswith(prefix) and _SECRET.fullmatch(text) is not None


async def begin(pool: asyncpg.Pool, token_digest: str, key_digest: str, lasts_s: float) -> datetime:
    """Begin a session of a valid key; return its end."""
    ends_at: datetime = await pool.fetchval(_QUERIES["begin"], token_digest, key_digest, lasts_s)
    await pool.execute(_QUERIES["tidy_sessions"], key_digest, MOST_SESSIONS)
    return ends_at


async def redeem(
    pool: asyncpg.Pool, nonce_digest: str, token_digest: str, lasts_s: float, elsewhere: Collection[str]
) -> Holder | None:
    """Begin a session by a nonce, which ends; None if it was used, has expired, or its key has ended.

    `elsewhere` are the digests of the valid keys that are not in the table.
    """
    row = await pool.fetchrow(_QUERIES["redeem"], nonce_digest, token_digest, lasts_s, list(elsewhere))
    if row is None:
        return None
    await pool.execute(_QUERIES["tidy_sessions"], row["key_digest"], MOST_SESSIONS)
    return _holder(row)


async def find(pool: asyncpg.Pool, token_digest: str) -> Holder | None:
    """Return the key of a session; None if the session or a key in the table has ended."""
    row = await pool.fetchrow(_QUERIES["find"], token_digest)
    return None if row is None else _holder(row)


async def end(pool: asyncpg.Pool, token_digest: str, key_id: str) -> None:
    """End a session of the key `key_id`. Running APIs refuse it within two seconds."""
    await pool.execute(_QUERIES["end"], token_digest, key_id)


async def offer(pool: asyncpg.Pool, nonce_digest: str, key_digest: str) -> datetime:
    """Store a nonce of a valid key; return when it expires."""
    expires_at: datetime = await pool.fetchval(_QUERIES["offer"], nonce_digest, key_digest, NONCE_S)
    await pool.execute(_QUERIES["tidy_nonces"], key_digest, MOST_NONCES)
    return expires_at


def _holder(row: asyncpg.Record) -> Holder:
    return Holder(row["key_digest"], row["key_id"], row["owner"], frozenset(row["scopes"] or ()), row["ends_at"])
