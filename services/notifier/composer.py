"""Makes the requests of hooks and notices: opens tokens, fetches the content they tell of, builds the bodies."""

from dataclasses import dataclass
from datetime import UTC, datetime

from piperoll.blobs import AsyncBlobs, BlobMissingError
from piperoll.seal import Seal
from schemas.claims import Claim
from services.notifier.bodies import completed_body, error_body, headers, progress_body
from services.notifier.hooks import Claimed, Hook
from services.notifier.notice_bodies import notice_body, signature
from services.notifier.notices import ClaimedNotice


@dataclass(frozen=True, slots=True)
class Letter:
    """What is posted."""

    headers: dict[str, str]
    body: bytes


class Composer:
    """Blob store and sealing keys, for bodies, tokens and signatures.

    Both methods raise BlobStoreError, and ValueError for content that cannot be read or what no configured key opens.
    """

    def __init__(self, blobs: AsyncBlobs, seal: Seal, public_url: str) -> None:
        self._blobs = blobs
        self._seal = seal
        self._public_url = public_url

    async def hook(self, claimed: Claimed, hook: Hook) -> Letter:
        """What a job's own webhook gets."""
        token = self._opened(claimed.token)
        body = await self._body(claimed, hook)
        return Letter(headers(hook, token, datetime.now(UTC)), body)

    async def notice(self, claimed: ClaimedNotice, secret: str) -> Letter:
        """What a registered endpoint gets, signed with its secret, which is given sealed."""
        parameters, error = await self._fetch(claimed.change.parameters), await self._fetch(claimed.change.error)
        body = notice_body(claimed, parameters, error)
        now = datetime.now(UTC)
        named = headers(Hook(claimed.delivery_id, "status", claimed.attempts + 1), self._opened(claimed.token), now)
        signed = signature(self._seal.open(secret), claimed.delivery_id, int(now.timestamp()), body)
        return Letter({**named, "webhook-signature": signed}, body)

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
