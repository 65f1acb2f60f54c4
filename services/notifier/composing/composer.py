"""Makes the requests of hooks and notices: opens tokens, fetches the content they tell of, builds bodies, signs."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from piperoll.seal import Seal
from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from piperoll.webhooks import signatures as signing
from piperoll.webhooks.messages import WebhookMessage, webhook_message
from piperoll.webhooks.signatures import SigningKey
from schemas.claims import Claim
from services.notifier.composing.signing_keys import SigningKeys
from services.notifier.hooks.bodies import completed_body, error_body, progress_body
from services.notifier.hooks.order import Claimed, Hook
from services.notifier.notices.bodies import notice_body
from services.notifier.notices.changes import ClaimedNotice

LARGE_BYTES = 256 * 1024  # signing it with one key takes a millisecond, and lets other threads run


class Composer:
    """Blob store, sealing keys and signing keys, for bodies, tokens and signatures.

    Both methods raise BlobStoreError, and ValueError for content that cannot be read or what no configured key opens.
    """

    def __init__(self, blobs: AsyncBlobs, seal: Seal, signing_keys: SigningKeys, public_url: str) -> None:
        self._blobs = blobs
        self._seal = seal
        self._signing_keys = signing_keys
        self._public_url = public_url

    async def hook(self, claimed: Claimed, hook: Hook) -> WebhookMessage:
        """What a job's own webhook gets, signed with its owner's keys. Raises SigningKeysAwayError too."""
        token = self._opened(claimed.token)
        body = await self._body(claimed, hook)
        keys = await self._signing_keys.of(claimed.owner)
        now = datetime.now(UTC)
        signature = await _signature(keys, signing.content(hook.delivery_id, now, body))
        return webhook_message(hook.delivery_id, token, now, body, signature)

    async def notice(self, claimed: ClaimedNotice, secret: str) -> WebhookMessage:
        """What a registered endpoint gets, signed with its secret, which is given sealed."""
        parameters, error = await self._fetch(claimed.change.parameters), await self._fetch(claimed.change.error)
        body = notice_body(claimed, parameters, error)
        now = datetime.now(UTC)
        signature = signing.sign_with_secret(self._seal.open(secret), signing.content(claimed.delivery_id, now, body))
        return webhook_message(claimed.delivery_id, self._opened(claimed.token), now, body, signature)

    async def _body(self, claimed: Claimed, hook: Hook) -> bytes:
        if hook.progress is not None:
            return progress_body(claimed, hook.progress)
        if hook.phase == "completed":
            return completed_body(claimed, await self._fetch(claimed.job.result), self._public_url)
        return error_body(claimed, await self._fetch(claimed.job.error))

    def _opened(self, token: str | None) -> str | None:
        return None if token is None else self._seal.open(token)

    async def _fetch(self, claim: Claim | None) -> bytes | None:
        """The content, or None when it was erased: what is posted then tells how the job stands and no more."""
        if claim is None:
            return None
        try:
            return await self._blobs.get(claim.uri)
        except BlobMissingError:
            return None


async def _signature(keys: Sequence[SigningKey], content: bytes) -> str:
    """By all keys; large content in a thread, so that the loop does not stand still."""
    if len(content) < LARGE_BYTES:
        return signing.sign_with_keys(keys, content)
    return await asyncio.to_thread(signing.sign_with_keys, keys, content)
