"""Posts test webhooks as a caller's jobs would, and returns the outcome (docs/contract/additions.md#trials).

A trial belongs to no job, so nothing is written to the log. The caller chooses the address that is called: so the
notifier's guard against private addresses applies, and the number, duration and rate of trials are limited.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import structlog
from pydantic_core import to_json

from piperoll.clock import Clock, utc_now
from piperoll.webhooks import signatures as signing
from piperoll.webhooks.attempts import Attempted
from piperoll.webhooks.failures import FAILURES, failed
from piperoll.webhooks.messages import SCHEMA_VERSION, TRIAL_MESSAGE, WebhookMessage, webhook_message
from piperoll.webhooks.sender import Sender, ms_since
from piperoll.webhooks.signatures import SigningKey
from schemas.errors import ErrorCode
from schemas.ids import delivery_id, draw_run, trial_id
from schemas.job_types.parameters import Webhook
from services.api.http.errors import RETRY_AFTER_S, ApiError
from services.api.http.rate_limit import RateLimit
from services.api.signing_keys.commands import SigningKeyAdmin
from services.api.trials.diagnosis import Json, diagnosis

log = structlog.get_logger()

AT_ONCE = 16  # in one process
AT_ONCE_OF_OWNER = 2
A_MINUTE = 30  # of one owner, in all processes
TIMEOUT_S = 10.0  # for a whole trial, so that a running one ends within the drain of a stopping process
LOOKUP_S = 4.0  # for the DNS, part of TIMEOUT_S
CONNECT_S = 5.0  # for the connection: less than TIMEOUT_S, so that a late answer differs from an unreachable host
PHASE = "test"


class Trials:
    """Posts trials. `sender` must not cache addresses; `limit` counts by owner."""

    def __init__(
        self,
        sender: Sender,
        signing_keys: SigningKeyAdmin,
        limit: RateLimit,
        timeout_s: float = TIMEOUT_S,
        clock: Clock = utc_now,
    ) -> None:
        self._clock = clock
        self._sender = sender
        self._signing_keys = signing_keys
        self._limit = limit
        self._timeout_s = timeout_s
        self._running: Counter[str] = Counter()

    async def run(self, hook: Webhook, owner: str) -> Json:
        """Post a test webhook and return the diagnosis.

        Raises ApiError: RATE_LIMITED (429), INTERNAL_ERROR (500) if a signing key cannot be opened, which also stops
        the webhooks of the owner's jobs, READ_MODEL_UNAVAILABLE (503).
        """
        with self._counted(owner):
            quota = await self._limit.count(f"trial/{owner}")
            if not quota.admitted:
                raise quota.refusal()
            webhook_id, posted = trial(hook, await self._signing_keys.active(owner), self._clock())
            attempted, addresses = await self._post(hook.url, posted)
        log.info("webhook_tried", owner=owner, ending=attempted.ending.value, status=attempted.status)
        return diagnosis(hook, webhook_id, attempted, addresses)

    @contextmanager
    def _counted(self, owner: str) -> Iterator[None]:
        """Count a test while it runs. Raises ApiError RATE_LIMITED (429)."""
        if self._running[owner] >= AT_ONCE_OF_OWNER:
            raise _busy(f"you already have {AT_ONCE_OF_OWNER} webhook tests running, the maximum", AT_ONCE_OF_OWNER)
        if self._running.total() >= AT_ONCE:
            raise _busy(f"{AT_ONCE} webhook tests are running here, the maximum", AT_ONCE)
        self._running[owner] += 1
        try:
            yield
        finally:
            self._running -= Counter([owner])  # the subtraction also removes owners whose count is 0

    async def _post(self, url: str, posted: WebhookMessage) -> tuple[Attempted, Sequence[str]]:
        """Return the outcome, and the addresses to which the name resolved."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(LOOKUP_S, self._timeout_s)):
                addresses = await self._sender.addresses(url)
        except FAILURES as error:
            return failed(error, ms_since(began)), ()
        left_s = self._timeout_s - (time.monotonic() - began)
        return await self._sender.post(url, posted.headers, posted.body, left_s), addresses


def trial(hook: Webhook, keys: Sequence[SigningKey], now: datetime) -> tuple[str, WebhookMessage]:
    """Return a webhook's id and the webhook: like a job's except for phase and ids."""
    about = trial_id(draw_run())
    webhook_id = delivery_id(about, PHASE)
    body = to_json(
        {
            "phase": PHASE,
            "message": TRIAL_MESSAGE,
            "data": None,
            "process": {"id": about, "main_processor": PHASE},
            "job": {"id": about},
            "schema_version": SCHEMA_VERSION,
        }
    )
    signature = signing.sign_with_keys(keys, signing.content(webhook_id, now, body))
    return webhook_id, webhook_message(webhook_id, hook.token, now, body, signature)


def _busy(message: str, limit: int) -> ApiError:
    return ApiError(
        429,
        ErrorCode.RATE_LIMITED,
        f"{message}: try again when one has ended",
        {"limit": limit},
        {"Retry-After": RETRY_AFTER_S},
    )
