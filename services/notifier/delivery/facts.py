"""The facts about attempts, for the jobs' own webhooks and for registered endpoints. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from piperoll.webhooks.attempts import Attempted
from piperoll.webhooks.origins import digest_of
from schemas.envelope import Fact
from schemas.events import Event, Phase, WebhookAbandoned, WebhookDelivered, WebhookFailed
from schemas.ids import event_id
from services.notifier.delivery.verdict import Decision, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The delivery of some facts. Only a notice has an endpoint, and the number of its change.

    `origin` is the receiver of a job's own webhook, `request` the requested redelivery.
    """

    job_id: str
    owner: str
    delivery_id: str
    phase: Phase
    endpoint_id: str | None = None
    change: int | None = None
    origin: str | None = None
    request: str | None = None


def attempt_facts(
    about: About, attempt: int, attempted: Attempted, verdict: Verdict, now: datetime
) -> tuple[Fact, ...]:
    """One fact per attempt, none for a repeat; the last failure of a schedule is recorded as failed and abandoned."""
    match verdict.decision:
        case Decision.DELIVERED:
            return (_delivered_fact(about, attempt, attempted, now),)
        case Decision.FAILED:
            return (_failed_fact(about, attempt, attempted, verdict, now),)
        case Decision.ABANDONED:
            abandoned = abandoned_fact(about, attempt, verdict.reason or "", now, attempted.status)
            if verdict.reason != "EXHAUSTED":
                return (abandoned,)
            return _failed_fact(about, attempt, attempted, Verdict(Decision.FAILED), now), abandoned
        case Decision.REPEAT:
            return ()


def abandoned_fact(about: About, attempt: int, reason: str, now: datetime, status: int | None = None) -> Fact:
    """No further attempt of this delivery will be made; `attempt` is the last one, 0 if there was none."""
    receiver = None if about.origin is None else digest_of(about.origin)
    data = WebhookAbandoned(**_shared(about), attempt=attempt, reason=reason, status=status, origin_sha256=receiver)
    return _fact(about, attempt, data, now)


def _delivered_fact(about: About, attempt: int, attempted: Attempted, now: datetime) -> Fact:
    data = WebhookDelivered(
        **_shared(about), attempt=attempt, status=attempted.status or 0, duration_ms=attempted.duration_ms
    )
    return _fact(about, attempt, data, now)


def _failed_fact(about: About, attempt: int, attempted: Attempted, verdict: Verdict, now: datetime) -> Fact:
    again = None if verdict.delay_s is None else now + timedelta(seconds=verdict.delay_s)
    data = WebhookFailed(
        **_shared(about),
        attempt=attempt,
        reason=verdict.reason or attempted.failure,
        status=attempted.status,
        duration_ms=attempted.duration_ms,
        next_attempt_at=again.isoformat().replace("+00:00", "Z") if again else None,
    )
    return _fact(about, attempt, data, now)


def _shared(about: About) -> dict[str, Any]:
    """The common fields of all facts about a delivery."""
    return {
        "delivery_id": about.delivery_id,
        "phase": about.phase,
        "endpoint_id": about.endpoint_id,
        "change": about.change,
        "request": about.request,
    }


def _fact(about: About, attempt: int, data: Event, now: datetime) -> Fact:
    """Build the fact. A redelivery may end without a further attempt, so the ids of its facts include the request."""
    fact_id = event_id(about.request or about.delivery_id, type(data).__name__, attempt)
    return Fact(id=fact_id, subject=about.job_id, owner=about.owner, time=now, source="notifier", data=data)
