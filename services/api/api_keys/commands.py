"""Creates, lists, rotates and revokes API keys (`piperoll.keys`) for admins (docs/contract/additions.md#api-keys)."""

from datetime import datetime
from typing import Any

import asyncpg
import structlog

from piperoll import keys
from piperoll.keys import Key
from schemas.errors import ErrorCode
from schemas.fields import is_label
from services.api.api_keys.requests import KeyBody
from services.api.http.access import BOOTSTRAP, Access
from services.api.http.answers import timestamp
from services.api.http.caller import Caller
from services.api.http.database import bounded_query
from services.api.http.errors import ApiError, not_found

log = structlog.get_logger()

Json = dict[str, Any]


class KeyAdmin:
    """The keys of all owners, except those in the settings. Every method raises READ_MODEL_UNAVAILABLE (503)."""

    def __init__(self, pool: asyncpg.Pool, pepper: str, access: Access, deadline_s: float) -> None:
        self._pool = pool
        self._pepper = pepper
        self._access = access
        self._deadline_s = deadline_s

    async def all(self) -> list[Json]:
        """Return all keys, also ended ones, newest first."""
        async with bounded_query("list_keys", self._deadline_s):
            return [_shown(key) for key in await keys.list_all(self._pool)]

    async def create(self, wanted: KeyBody, caller: Caller, idempotency_key: str | None) -> Json:
        """Create a key. Raises ApiError CONFLICT (409) for a repeat of an Idempotency-Key."""
        key_id = _derived("create", caller, idempotency_key)
        try:
            async with bounded_query("create_key", self._deadline_s):
                made, key = await keys.create(
                    self._pool,
                    self._pepper,
                    wanted.owner,
                    frozenset(wanted.scopes),
                    wanted.expires_at,
                    key_id,
                    caller.key_id,
                )
        except keys.KeyExistsError as error:
            raise _made_already(error) from error
        log.info("key_created", key_id=made.key_id, owner=made.owner, scopes=sorted(made.scopes), by=caller.key_id)
        return {**_shown(made), "key": key}

    async def rotate(self, key_id: str, overlap_s: float, caller: Caller, idempotency_key: str | None) -> Json:
        """Create a key that replaces another one, which ends after the overlap.

        Raises ApiError: NOT_FOUND (404), CONFLICT (409) for a key that has ended or is set in the settings, and for a
        repeat of an Idempotency-Key.
        """
        _check_stored(key_id)
        new_id = _derived(f"rotate/{key_id}", caller, idempotency_key)
        try:
            async with bounded_query("rotate_key", self._deadline_s):
                rotated = await keys.rotate(self._pool, self._pepper, key_id, overlap_s, new_id, caller.key_id)
        except keys.KeyExistsError as error:
            raise _made_already(error) from error
        except keys.KeyEndedError as error:
            raise ApiError(409, ErrorCode.CONFLICT, "the key has ended: make a new one with POST /api/keys") from error
        if rotated is None:
            raise not_found("key")
        made, key, ends_at = rotated
        self._access.forget(key_id)
        log.info("key_rotated", key_id=key_id, new_key_id=made.key_id, owner=made.owner, by=caller.key_id)
        return {**_shown(made), "key": key, "replaces": {"id": key_id, "expires_at": timestamp(ends_at)}}

    async def delete(self, key_id: str, caller: Caller) -> Json:
        """Revoke a key; a repeat changes nothing. Raises ApiError: NOT_FOUND (404), CONFLICT (409) for a key in the
        settings, and for the caller's key, so that the last admin key cannot be lost."""
        _check_stored(key_id)
        if key_id == caller.key_id:
            message = "this is the key of the request itself: delete it with another admin key, or rotate it"
            raise ApiError(409, ErrorCode.CONFLICT, message)
        async with bounded_query("revoke_key", self._deadline_s):
            ended = await keys.revoke(self._pool, key_id, caller.key_id)
        if ended is None:
            raise not_found("key")
        self._access.forget(key_id)
        log.info("key_deleted", key_id=key_id, owner=ended.owner, by=caller.key_id)
        return _shown(ended)


def _shown(key: Key) -> Json:
    times: dict[str, datetime | None] = {
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
    known = {name: timestamp(time) for name, time in times.items() if time is not None}
    return {"id": key.key_id, "owner": key.owner, "scopes": sorted(key.scopes), **known}


def _derived(kind: str, caller: Caller, idempotency_key: str | None) -> str | None:
    """Return the id of the key that a request with an Idempotency-Key creates, so that a repeat creates no other."""
    return None if idempotency_key is None else keys.derived_id(f"{kind}/{caller.owner}/{idempotency_key}")


def _made_already(error: keys.KeyExistsError) -> ApiError:
    message = "this request has already created a key, which is shown once: delete it and use a new Idempotency-Key"
    return ApiError(409, ErrorCode.CONFLICT, message, {"id": str(error)})


def _check_stored(key_id: str) -> None:
    if key_id.startswith(BOOTSTRAP):
        message = "this key is set in the settings: change PIPEROLL_BOOTSTRAP_KEYS and restart the API"
        raise ApiError(409, ErrorCode.CONFLICT, message)
    if not is_label(key_id):
        raise not_found("key")
