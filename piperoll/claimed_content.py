"""Reads content for readers of the log, which must neither give up in an outage nor wait for ever for one blob.

The store itself decides which it is: while it cannot store and return a small probe, it is away, and the reader
waits. When it can, and one blob still fails, the blob is given up after a bounded number of tries.
"""

import secrets
from collections.abc import Awaitable, Callable
from functools import partial

from piperoll.outages import Outage
from piperoll.store.blobs import AsyncBlobs, BlobStoreError, BlobUnreadableError
from piperoll.store.probe import StoreProbe
from schemas.claims import Claim

TRIES = 16  # with the pauses of an outage about 25 s


class ClaimedContent:
    """Bounded reads over a blob store. `outage` is of that store; without one, an outage raises BlobStoreError."""

    def __init__(self, blobs: AsyncBlobs, outage: Outage | None, tries: int = TRIES) -> None:
        self._blobs = blobs
        self._outage = outage
        self._tries = tries
        self._failed: dict[str, int] = {}  # kept over calls: a transaction is repeated as a whole
        self._probe = StoreProbe(blobs, f"reader-{secrets.token_hex(8)}")

    async def get(self, claim: Claim) -> bytes:
        """The content of a claim, its hash checked.

        Raises BlobMissingError, BlobUnreadableError and StoppedWaitingError.
        """
        return await self._outlast(partial(self.get_once, claim))

    async def beginning(self, claim: Claim, size: int) -> bytes:
        """As `get`, at most the first `size` bytes, their hash unchecked."""
        return await self._outlast(lambda: self._once(claim.uri, lambda: self._blobs.beginning(claim, size)))

    async def get_once(self, claim: Claim) -> bytes:
        """The same without a wait, for a transaction that is repeated over outages. Raises BlobStoreError too."""
        return await self._once(claim.uri, lambda: self._blobs.get_claimed(claim))

    async def at_once(self, uri: str) -> bytes:
        """As `get_once`, the content of a blob whose claim is not at hand."""
        return await self._once(uri, lambda: self._blobs.get(uri))

    async def _outlast(self, read: Callable[[], Awaitable[bytes]]) -> bytes:
        return await (read() if self._outage is None else self._outage.outlast(read))

    async def _once(self, uri: str, read: Callable[[], Awaitable[bytes]]) -> bytes:
        failed = self._failed.pop(uri, 0)
        try:
            return await read()
        except BlobUnreadableError:
            raise
        except BlobStoreError as error:
            if self._outage is None:
                raise
            failed = self._failed[uri] = failed + 1 if await self._probe.answers() else 0
            if failed >= self._tries:
                raise BlobUnreadableError(f"{uri} cannot be read although the store answers: {error}") from error
            raise
