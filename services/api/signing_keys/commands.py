"""Lists, rotates and ends the keys that sign webhooks of jobs (docs/contract/additions.md#signing-keys)."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import structlog

from piperoll.seal import Seal, SealError
from piperoll.webhooks import signing_keys
from piperoll.webhooks.signatures import SigningKey
from schemas.errors import ErrorCode
from schemas.ids import draw_signing_key_id, is_id, keyed_id
from services.api.http.answers import timestamp
from services.api.http.database import bounded_query
from services.api.http.errors import ApiError, conflict, not_found

log = structlog.get_logger()

Json = dict[str, Any]

AFTER_AN_END = "receivers that check with the ended key alone refuse webhooks until they have one of these keys"


class SigningKeyAdmin:
    """The signing keys of one owner. Views are `{"keys": […]}`, the newest first."""

    def __init__(self, pool: asyncpg.Pool, seal: Seal, overlap_s: float, read_deadline_s: float) -> None:
        self._pool = pool
        self._seal = seal
        self._overlap_s = overlap_s
        self._read_deadline_s = read_deadline_s

    async def of_owner(self, owner: str) -> Json:
        """Return the active keys. Raises as `active`."""
        return _view(await self.active(owner))

    async def active(self, owner: str) -> list[SigningKey]:
        """Return the active keys; the first one is created now if no webhook needed it before.

        Raises ApiError: INTERNAL_ERROR (500) for a key that cannot be opened, READ_MODEL_UNAVAILABLE (503).
        """
        try:
            async with bounded_query("signing_keys", self._read_deadline_s):
                return await signing_keys.active(self._pool, self._seal, owner)
        except SealError as error:
            log.error("signing_key_unreadable", owner=owner, error=str(error))  # noqa: TRY400 -- the message is complete
            message = "a signing key cannot be opened: restore PIPEROLL_SEAL_KEYS, or rotate the signing keys"
            raise ApiError(500, ErrorCode.INTERNAL_ERROR, message) from error

    async def rotate(self, owner: str, key: str | None) -> Json:
        """Create a key and return all active ones; the previous key stays active for the overlap.

        A repeat of the Idempotency-Key `key` rotates once. Raises ApiError: CONFLICT (409) beyond the maximum of keys,
        READ_MODEL_UNAVAILABLE (503): repeat it with the same key, or list the keys first.
        """
        key_id = draw_signing_key_id() if key is None else keyed_id("signing", owner, key)
        try:
            async with bounded_query("rotate_signing_keys", self._read_deadline_s):
                return _view(await signing_keys.rotate(self._pool, self._seal, owner, self._overlap_s, key_id))
        except signing_keys.TooManyKeysError as error:
            limit = signing_keys.MAX_KEYS
            message = (
                f"{limit} keys are active already, the maximum: rotate again when the first of them has ended, or end "
                "one now with DELETE /api/webhooks/signing-keys/{key_id}"
            )
            raise conflict(message, limit=limit) from error

    async def end(self, owner: str, key_id: str) -> Json:
        """End an active key at once, and return the others with a warning; a new one takes the place of the newest.

        Raises ApiError: NOT_FOUND (404), READ_MODEL_UNAVAILABLE (503).
        """
        if not is_id("signing", key_id):
            raise not_found("signing key")
        async with bounded_query("end_signing_key", self._read_deadline_s):
            left = await signing_keys.end(self._pool, self._seal, owner, key_id)
        if left is None:
            raise not_found("signing key")
        log.info("signing_key_ended", owner=owner, key_id=key_id)
        return {**_view(left), "warning": AFTER_AN_END}


def _view(keys: Sequence[SigningKey]) -> Json:
    return {"keys": [_key_view(key) for key in keys]}


def _key_view(key: SigningKey) -> Json:
    view = {"id": key.key_id, "secret": key.secret, "public_key": key.public_key}
    return view if key.active_until is None else {**view, "active_until": timestamp(key.active_until)}
