"""Common to the messages of hooks and notices: fetched content, opened tokens, signatures."""

import asyncio
from collections.abc import Sequence

from piperoll.clock import Clock
from piperoll.seal import Seal
from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from piperoll.webhooks import signatures as signing
from piperoll.webhooks.messages import WebhookMessage, webhook_message
from piperoll.webhooks.signatures import SigningKey
from schemas.claims import Claim
from services.notifier.delivery.signing_keys import SigningKeyCache

LARGE_BYTES = 256 * 1024  # signing it with one key takes a millisecond, and lets other threads run


class Composer:
    """Reads the blob store, and opens and signs with the configured keys. Tokens and secrets are given sealed.

    Raises BlobStoreError, and ValueError for a text that no configured key opens.
    """

    def __init__(self, blobs: AsyncBlobs, seal: Seal, signing_keys: SigningKeyCache, clock: Clock) -> None:
        self._blobs = blobs
        self._seal = seal
        self._signing_keys = signing_keys
        self._clock = clock

    async def fetch(self, claim: Claim | None) -> bytes | None:
        """The content; None if it was erased, in which case the body has the status of the job only."""
        if claim is None:
            return None
        try:
            return await self._blobs.get_claimed(claim)
        except BlobMissingError:
            return None

    async def signed_by_keys(self, owner: str, delivery_id: str, token: str | None, body: bytes) -> WebhookMessage:
        """A message signed with all active keys of its owner. Raises SigningKeysAwayError too."""
        keys, now = await self._signing_keys.of(owner), self._clock()
        signature = await _signature(keys, signing.content(delivery_id, now, body))
        return webhook_message(delivery_id, self._opened(token), now, body, signature)

    def signed_by_secret(self, secret: str, delivery_id: str, token: str | None, body: bytes) -> WebhookMessage:
        """A message signed with the secret of its endpoint."""
        now = self._clock()
        signature = signing.sign_with_secret(self._seal.open(secret), signing.content(delivery_id, now, body))
        return webhook_message(delivery_id, self._opened(token), now, body, signature)

    def _opened(self, token: str | None) -> str | None:
        return None if token is None else self._seal.open(token)


async def _signature(keys: Sequence[SigningKey], content: bytes) -> str:
    """The signature by all keys; of large content in a thread, so that the loop is not blocked."""
    if len(content) < LARGE_BYTES:
        return signing.sign_with_keys(keys, content)
    return await asyncio.to_thread(signing.sign_with_keys, keys, content)
