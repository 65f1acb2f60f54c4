"""Posts a message to its receiver, judges the attempt and reports it: common to the couriers of both queues."""

import random
from collections.abc import Awaitable, Mapping

import structlog

from piperoll.clock import Clock
from piperoll.settings import Settings
from piperoll.webhooks.attempts import Attempted
from piperoll.webhooks.messages import WebhookMessage
from piperoll.webhooks.sender import Sender
from services.notifier import metrics
from services.notifier.delivery.attempt import Lease, attempt
from services.notifier.delivery.composer import Composer
from services.notifier.delivery.verdict import Verdict, judge

log = structlog.get_logger()


class Courier:
    """A courier adds `deliver`. `chances` spreads retries."""

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

    async def _post(
        self,
        lease: Lease,
        url: str,
        composing: Awaitable[WebhookMessage],
        *,
        job_id: str,
        delivery_id: str,
        phase: str,
        timeout_s: float,
        repeated: bool,
        turn: int,
        noted: Mapping[str, object],
    ) -> tuple[Attempted, Verdict]:
        """Make the `turn`-th attempt by the schedule; a message that is not `repeated` is tried once.

        The log line of a failure has `noted` too.
        Raises CancelledError only.
        """
        attempted = await attempt(
            self._sender, lease, url, composing, timeout_s, job_id=job_id, delivery_id=delivery_id
        )
        verdict = judge(attempted, repeated, turn, self._settings.delivery_delays, self._chances.random())
        metrics.ATTEMPTS.labels(phase, verdict.decision.value, verdict.reason or "").inc()
        metrics.ATTEMPT_SECONDS.labels(phase).observe(attempted.duration_ms / 1000)
        if not attempted.delivered:
            log.info(
                "not_delivered",
                job_id=job_id,
                delivery_id=delivery_id,
                phase=phase,
                turn=turn,
                **noted,
                decision=verdict.decision.value,
                reason=verdict.reason,
                status=attempted.status,
                again_in_s=verdict.delay_s,
            )
        return attempted, verdict
