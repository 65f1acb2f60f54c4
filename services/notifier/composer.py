"""Makes the request of a hook: opens the token, fetches the content it tells of, builds the body."""

from piperoll.blobs import AsyncBlobs, BlobMissingError
from piperoll.seal import Seal
from schemas.claims import Claim
from services.notifier.bodies import completed_body, error_body, progress_body
from services.notifier.hooks import Claimed, Hook


class Composer:
    """Blob store and sealing keys, for bodies and tokens."""

    def __init__(self, blobs: AsyncBlobs, seal: Seal, public_url: str) -> None:
        self._blobs = blobs
        self._seal = seal
        self._public_url = public_url

    def token(self, claimed: Claimed) -> str | None:
        """The receiver's token in the clear. Raises ValueError when no configured key opens it."""
        return None if claimed.token is None else self._seal.open(claimed.token)

    async def body(self, claimed: Claimed, hook: Hook) -> bytes:
        """The bytes to post. Raises BlobStoreError, and ValueError for content that cannot be read."""
        if hook.progress is not None:
            return progress_body(claimed, hook.progress)
        if hook.phase == "completed":
            return completed_body(claimed, await self._fetch(claimed.job.result), self._public_url)
        return error_body(claimed, await self._fetch(claimed.job.error))

    async def _fetch(self, claim: Claim | None) -> bytes | None:
        """The content, or None when it was erased: the hook then tells how the job ended and no more."""
        if claim is None:
            return None
        try:
            return await self._blobs.get(claim.uri)
        except BlobMissingError:
            return None
