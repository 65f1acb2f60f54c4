"""Takes one claimed row to its receiver, and says what came of it. The jobs' own webhooks; see also notice_courier."""

import random
from datetime import UTC, datetime

import structlog

from piperoll.settings import Settings
from piperoll.webhooks.attempts import Attempted
from piperoll.webhooks.sender import Sender
from services.notifier import metrics
from services.notifier.composing.composer import Composer
from services.notifier.delivery.attempt import attempt
from services.notifier.delivery.retry import Decision, Verdict, judge
from services.notifier.hooks.order import Claimed, Hook, next_hook
from services.notifier.hooks.outcome import Outcome, nothing_due, outcome_of, released

log = structlog.get_logger()


class Courier:
    """Sends the next hook of a job."""

    def __init__(self, settings: Settings, composer: Composer, sender: Sender) -> None:
        self._settings = settings
        self._composer = composer
        self._sender = sender

    async def deliver(self, claimed: Claimed) -> tuple[Outcome, Attempted | None]:
        """What to write, and the attempt if one was made. Raises CancelledError alone."""
        hook = next_hook(claimed)
        if hook is None:
            return nothing_due(claimed), None
        timeout_s = self._settings.final_timeout_s if hook.final else self._settings.progress_timeout_s
        composing = self._composer.hook(claimed, hook)
        attempted = await attempt(
            self._sender, claimed.url, composing, timeout_s, job_id=claimed.job_id, delivery_id=hook.delivery_id
        )
        delays = self._settings.delivery_delays
        verdict = judge(attempted, hook.final, hook.turn, delays, random.random())
        now = datetime.now(UTC)
        _tell(claimed, hook, attempted, verdict, now)
        return outcome_of(claimed, hook, attempted, verdict, now), attempted

    def released(self, claimed: Claimed) -> Outcome:
        """What to write when the attempt was cut short."""
        return released(claimed)


def _tell(claimed: Claimed, hook: Hook, attempted: Attempted, verdict: Verdict, now: datetime) -> None:
    """Metrics and the log line of one attempt."""
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
