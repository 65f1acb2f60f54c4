"""Sends the next hook of a claimed job to its receiver and returns the outcome."""

import random
from datetime import datetime

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
from services.notifier.hooks.bodies import completed_body, error_body, progress_body
from services.notifier.hooks.order import ClaimedHook, Hook, next_hook
from services.notifier.hooks.outcome import HookOutcome, nothing_due, outcome_of, released

log = structlog.get_logger()


class HookCourier:
    """Sends the next hook of a job. `chances` spreads retries."""

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

    async def deliver(self, claimed: ClaimedHook, lease: Lease) -> tuple[HookOutcome, Attempted | None]:
        """Return the outcome to write, and the attempt if one was made. Raises CancelledError only."""
        hook = next_hook(claimed)
        if hook is None:
            return nothing_due(claimed), None
        timeout_s = self._settings.final_timeout_s if hook.final else self._settings.progress_timeout_s
        attempted = await attempt(
            self._sender,
            lease,
            claimed.url,
            self._message(claimed, hook),
            timeout_s,
            job_id=claimed.job_id,
            delivery_id=hook.delivery_id,
        )
        delays = self._settings.delivery_delays
        verdict = judge(attempted, hook.final, hook.turn, delays, self._chances.random())
        now = self._clock()
        _report(claimed, hook, attempted, verdict, now)
        return outcome_of(claimed, hook, attempted, verdict, now), attempted

    def released(self, claimed: ClaimedHook) -> HookOutcome:
        """Return the outcome of an interrupted attempt."""
        return released(claimed)

    async def _message(self, claimed: ClaimedHook, hook: Hook) -> WebhookMessage:
        """The message of a hook. Raises the composer's errors, and ValueError for content that cannot be read."""
        if hook.progress is not None:
            body = progress_body(claimed, hook.progress)
        elif hook.phase == "completed":
            result = await self._composer.fetch(claimed.job.result)
            body = completed_body(claimed, result, self._settings.public_url)
        else:
            body = error_body(claimed, await self._composer.fetch(claimed.job.error))
        return await self._composer.signed_by_keys(claimed.owner, hook.delivery_id, claimed.token, body)


def _report(claimed: ClaimedHook, hook: Hook, attempted: Attempted, verdict: Verdict, now: datetime) -> None:
    """Write the metrics and the log line of one attempt."""
    metrics.ATTEMPTS.labels(hook.phase, verdict.decision.value, verdict.reason or "").inc()
    metrics.ATTEMPT_SECONDS.labels(hook.phase).observe(attempted.duration_ms / 1000)
    if verdict.decision is Decision.DELIVERED:
        if hook.final and claimed.final_at is not None and claimed.request is None:
            metrics.DELIVERY_SECONDS.observe(max(0.0, (now - claimed.final_at).total_seconds()))
        return
    log.info(
        "hook_not_delivered",
        job_id=claimed.job_id,
        delivery_id=hook.delivery_id,
        phase=hook.phase,
        attempt=hook.attempt,
        decision=verdict.decision.value,
        reason=verdict.reason,
        status=attempted.status,
        again_in_s=verdict.delay_s,
    )
