"""Sends one change of a job's status to a registered endpoint, signed with the endpoint's secret."""

import random

import structlog

from piperoll.clock import Clock
from piperoll.settings import Settings
from piperoll.webhooks.attempts import Attempted
from piperoll.webhooks.messages import WebhookMessage
from piperoll.webhooks.sender import Sender
from services.notifier import metrics
from services.notifier.delivery.attempt import Lease, attempt
from services.notifier.delivery.composer import Composer
from services.notifier.delivery.verdict import Decision, Verdict, judge
from services.notifier.notices.bodies import notice_body
from services.notifier.notices.changes import ClaimedNotice
from services.notifier.notices.outcome import NoticeOutcome, given_back, not_sent, outcome_of

log = structlog.get_logger()


class NoticeCourier:
    """Sends the next notice of a job to an endpoint. `chances` spreads retries."""

    def __init__(
        self,
        settings: Settings,
        composer: Composer,
        sender: Sender,
        clock: Clock,
        chances: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._composer = composer
        self._sender = sender
        self._clock = clock
        self._chances = chances or random.Random()

    async def deliver(self, claimed: ClaimedNotice, lease: Lease) -> tuple[NoticeOutcome, Attempted | None]:
        """Return the outcome to write, and the attempt if one was made. Raises CancelledError only."""
        now = self._clock()
        if claimed.url is None or claimed.secret is None:
            return not_sent(claimed, "REMOVED", now), None  # it ended while the change was stored
        if claimed.change.late:
            return not_sent(claimed, "TOO_OLD", now), None
        composing = self._message(claimed, claimed.secret)
        timeout_s = self._settings.final_timeout_s
        attempted = await attempt(
            self._sender,
            lease,
            claimed.url,
            composing,
            timeout_s,
            job_id=claimed.job_id,
            delivery_id=claimed.delivery_id,
        )
        repeated = not claimed.change.trial
        verdict = judge(
            attempted, repeated, claimed.attempts + 1, self._settings.delivery_delays, self._chances.random()
        )
        _report(claimed, attempted, verdict)
        return outcome_of(claimed, attempted, verdict, self._clock()), attempted

    def released(self, claimed: ClaimedNotice) -> NoticeOutcome:
        """Return the outcome of an interrupted attempt."""
        return given_back(claimed, self._clock())

    async def _message(self, claimed: ClaimedNotice, secret: str) -> WebhookMessage:
        """The message of a notice. Raises the composer's errors, and ValueError for content that cannot be read."""
        parameters = await self._composer.fetch(claimed.change.parameters)
        body = notice_body(claimed, parameters, await self._composer.fetch(claimed.change.error))
        return self._composer.signed_by_secret(secret, claimed.delivery_id, claimed.token, body)


def _report(claimed: ClaimedNotice, attempted: Attempted, verdict: Verdict) -> None:
    """Write the metrics and the log line of one attempt."""
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
