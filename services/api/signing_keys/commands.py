"""The keys that sign the webhooks of an owner's jobs, as an admin of the owner sees and rotates them (contract 2e)."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import structlog

from piperoll.seal import Seal, SealError
from piperoll.webhooks import signing_keys
from piperoll.webhooks.signatures import SigningKey
from schemas.errors import ErrorCode
from schemas.ids import draw_signing_key_id, keyed_id
from services.api.http.answers import timestamp
from services.api.http.database import asking
from services.api.http.errors import ApiError

log = structlog.get_logger()

Json = dict[str, Any]


class SigningKeyAdmin:
    """One owner at a time. What is shown is `{"keys": […]}`, the newest first."""

    def __init__(self, pool: asyncpg.Pool, seal: Seal, overlap_s: float, read_deadline_s: float) -> None:
        self._pool = pool
        self._seal = seal
        self._overlap_s = overlap_s
        self._read_deadline_s = read_deadline_s

    async def of_owner(self, owner: str) -> Json:
        """The keys that sign now. Raises what `active` does."""
        return _shown(await self.active(owner))

    async def active(self, owner: str) -> list[SigningKey]:
        """The keys to sign with now; the first one is made when it is asked for, if no webhook needed it before.

        Raises ApiError: INTERNAL_ERROR (500) for a key that cannot be opened, READ_MODEL_UNAVAILABLE (503).
        """
        try:
            async with asking("signing_keys", self._read_deadline_s):
                return await signing_keys.active(self._pool, self._seal, owner)
        except SealError as error:
            log.error("signing_key_unreadable", owner=owner, error=str(error))  # noqa: TRY400 -- the message is complete
            said = "a signing key cannot be opened: put back what PIPEROLL_SEAL_KEYS had, or rotate the signing keys"
            raise ApiError(500, ErrorCode.INTERNAL_ERROR, said) from error

    async def rotate(self, owner: str, key: str | None) -> Json:
        """The keys with a new one among them; the one before it signs on for the overlap.

        A repeat of the Idempotency-Key `key` rotates once. Raises ApiError: CONFLICT (409) for one too many,
        READ_MODEL_UNAVAILABLE (503): repeat it with the same key, or look first.
        """
        key_id = draw_signing_key_id() if key is None else keyed_id("signing", owner, key)
        try:
            async with asking("rotate_signing_keys", self._read_deadline_s):
                return _shown(await signing_keys.rotate(self._pool, self._seal, owner, self._overlap_s, key_id))
        except signing_keys.TooManyKeysError as error:
            limit = signing_keys.MAX_KEYS
            said = f"{limit} keys sign already, the most that may: rotate again when the first of them has ended"
            raise ApiError(409, ErrorCode.CONFLICT, said, {"limit": limit}) from error


def _shown(keys: Sequence[SigningKey]) -> Json:
    return {"keys": [_key(key) for key in keys]}


def _key(key: SigningKey) -> Json:
    shown = {"id": key.key_id, "secret": key.secret, "public_key": key.public_key}
    return shown if key.active_until is None else {**shown, "active_until": timestamp(key.active_until)}
