"""Tells a registered endpoint of one change of a job's status, signed with the endpoint's secret."""

import random
from datetime import UTC, datetime

import structlog

from piperoll.blobs import AsyncBlobs, BlobMissingError, BlobStoreError
from piperoll.seal import Seal
from piperoll.settings import Settings
from schemas.claims import Claim
from services.notifier import metrics
from services.notifier.bodies import headers
from services.notifier.hooks import Hook
from services.notifier.notice_bodies import notice_body, signature
from services.notifier.notice_outcome import NoticeOutcome, given_back, not_sent, outcome_of
from services.notifier.notices import ClaimedNotice
from services.notifier.retry import Attempted, Decision, Ending, Verdict, judge
from services.notifier.sender import Sender

log = structlog.get_logger()


class NoticeCourier:
    """Composes, signs and posts notices."""

    def __init__(self, settings: Settings, blobs: AsyncBlobs, seal: Seal, sender: Sender) -> None:
        self._settings = settings
        self._blobs = blobs
        self._seal = seal
        self._sender = sender

    async def deliver(self, claimed: ClaimedNotice) -> tuple[NoticeOutcome, Attempted | None]:
        """What to write, and the attempt if one was made. Raises CancelledError alone."""
        now = datetime.now(UTC)
        if claimed.url is None or claimed.secret is None:
            return not_sent(claimed, "REMOVED", now), None  # it ended while the change was taken in
        if claimed.change.late:
            return not_sent(claimed, "TOO_OLD", now), None
        attempted = await self._attempt(claimed, claimed.url, claimed.secret)
        repeated = not claimed.change.trial
        verdict = judge(attempted, repeated, claimed.attempts + 1, self._settings.delivery_delays, random.random())
        _tell(claimed, attempted, verdict)
        return outcome_of(claimed, attempted, verdict, datetime.now(UTC)), attempted

    def released(self, claimed: ClaimedNotice) -> NoticeOutcome:
        """What to write when the attempt was cut short."""
        return given_back(claimed, datetime.now(UTC))

    async def _attempt(self, claimed: ClaimedNotice, url: str, sealed: str) -> Attempted:
        try:
            body = await self._body(claimed)
            token = None if claimed.token is None else self._seal.open(claimed.token)
            now = datetime.now(UTC)
            sent = headers(Hook(claimed.delivery_id, "status", claimed.attempts + 1), token, now)
            signed = signature(self._seal.open(sealed), claimed.delivery_id, int(now.timestamp()), body)
            return await self._sender.post(
                url, {**sent, "webhook-signature": signed}, body, self._settings.final_timeout_s
            )
        except BlobStoreError as error:
            log.warning("notice_waits_for_blobs", job_id=claimed.job_id, error=repr(error))
            return Attempted(Ending.OURS)
        except ValueError as error:
            log.warning("notice_unreadable", job_id=claimed.job_id, error=repr(error))
            return Attempted(Ending.UNREADABLE)
        except Exception:
            log.exception("notice_failed_by_us", job_id=claimed.job_id)
            return Attempted(Ending.OURS)

    async def _body(self, claimed: ClaimedNotice) -> bytes:
        change = claimed.change
        return notice_body(claimed, await self._fetch(change.parameters), await self._fetch(change.error))

    async def _fetch(self, claim: Claim | None) -> bytes | None:
        """The content, or None when it was erased: the notice then tells the status and no more."""
        if claim is None:
            return None
        try:
            return await self._blobs.get(claim.uri)
        except BlobMissingError:
            return None


def _tell(claimed: ClaimedNotice, attempted: Attempted, verdict: Verdict) -> None:
    """Metrics and the log line of one attempt."""
    metrics.ATTEMPTS.labels("status", verdict.decision.value, verdict.reason or "").inc()
    metrics.ATTEMPT_SECONDS.labels("status").observe(attempted.duration_ms / 1000)
    if verdict.decision is Decision.DELIVERED:
        return
    log.info(
        "notice_not_delivered",
        job_id=claimed.job_id,
        endpoint_id=claimed.endpoint_id,
        status_told=claimed.change.status,
        attempt=claimed.attempts + 1,
        decision=verdict.decision.value,
        reason=verdict.reason,
        status=attempted.status,
        again_in_s=verdict.delay_s,
    )
