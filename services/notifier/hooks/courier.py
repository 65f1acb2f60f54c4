"""Sends the next hook of a claimed job to its receiver and returns the outcome."""

from piperoll.webhooks.attempts import Attempted
from piperoll.webhooks.messages import WebhookMessage
from services.notifier import metrics
from services.notifier.delivery.attempt import Lease
from services.notifier.delivery.courier import Courier
from services.notifier.hooks.bodies import completed_body, error_body, progress_body
from services.notifier.hooks.order import ClaimedHook, Hook, next_hook
from services.notifier.hooks.outcome import HookOutcome, nothing_due, outcome_of, released


class HookCourier(Courier):
    """Sends the next hook of a job."""

    async def deliver(self, claimed: ClaimedHook, lease: Lease) -> tuple[HookOutcome, Attempted | None]:
        """Return the outcome to write, and the attempt if one was made. Raises CancelledError only."""
        hook = next_hook(claimed)
        if hook is None:
            return nothing_due(claimed), None
        attempted, verdict = await self._post(
            lease,
            claimed.url,
            self._message(claimed, hook),
            job_id=claimed.job_id,
            delivery_id=hook.delivery_id,
            phase=hook.phase,
            timeout_s=self._settings.final_timeout_s if hook.final else self._settings.progress_timeout_s,
            repeated=hook.final,
            turn=hook.turn,
            noted={"attempt": hook.attempt},
        )
        now = self._clock()
        if attempted.delivered and hook.final and claimed.final_at is not None and claimed.request is None:
            metrics.DELIVERY_SECONDS.observe(max(0.0, (now - claimed.final_at).total_seconds()))
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
