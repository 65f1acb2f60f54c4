"""What one attempt to tell an endpoint means for its row, and the facts that tell of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.envelope import Fact
from schemas.events import WebhookAbandoned, WebhookDelivered, WebhookFailed
from schemas.ids import event_id
from services.notifier.notices import Change, ClaimedNotice, notice_id
from services.notifier.retry import Attempted, Decision, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeOutcome:
    """What to write for a claimed notice, under its lease.

    With `delay_s` the same change follows again then; without it the change is settled, and the next one follows.
    `gone` says that the endpoint wants to be told nothing more.
    """

    job_id: str
    endpoint_id: str
    origin: str
    lease: datetime
    number: int
    attempts: int
    at: datetime
    delay_s: float | None = None
    gone: bool = False
    facts: tuple[Fact, ...] = ()


def outcome_of(claimed: ClaimedNotice, attempted: Attempted, verdict: Verdict, now: datetime) -> NoticeOutcome:
    """The row and the facts after an attempt. A repeat leaves no trace but its delay; a trial leaves no facts."""
    if verdict.decision is Decision.REPEAT:
        return _outcome(claimed, now, attempts=claimed.attempts, delay_s=verdict.delay_s)
    attempt = claimed.attempts + 1
    facts = () if claimed.change.trial else tuple(_facts(claimed, attempt, attempted, verdict, now))
    gone = verdict.decision is Decision.ABANDONED and verdict.reason == "GONE"
    return _outcome(claimed, now, attempts=attempt, delay_s=verdict.delay_s, gone=gone, facts=facts)


def not_sent(claimed: ClaimedNotice, reason: str, now: datetime) -> NoticeOutcome:
    """A change that is given up without a further attempt."""
    facts = withdrawn_facts(
        claimed.job_id, claimed.endpoint_id, claimed.owner, [claimed.change], claimed.attempts, reason, now
    )
    return _outcome(claimed, now, attempts=claimed.attempts, facts=tuple(facts))


def given_back(claimed: ClaimedNotice, now: datetime) -> NoticeOutcome:
    """A claimed notice given back unattempted, or with an attempt cut short by our own end."""
    return _outcome(claimed, now, attempts=claimed.attempts, delay_s=0.0)


def withdrawn_facts(
    job_id: str,
    endpoint_id: str,
    owner: str,
    changes: Sequence[Change],
    attempts: int,
    reason: str,
    now: datetime,
) -> list[Fact]:
    """That changes are not told any more; `attempts` were made for the first of them."""
    return [
        _fact(
            job_id,
            owner,
            WebhookAbandoned(
                delivery_id=notice_id(job_id, endpoint_id, change.number),
                phase="status",
                endpoint_id=endpoint_id,
                change=change.number,
                attempt=attempts if change is changes[0] else 0,
                reason=reason,
            ),
            now,
        )
        for change in changes
        if not change.trial
    ]


def _facts(claimed: ClaimedNotice, attempt: int, attempted: Attempted, verdict: Verdict, now: datetime) -> list[Fact]:
    """One fact an attempt; the last failure of a schedule is told as failed and as abandoned."""
    found: list[WebhookDelivered | WebhookFailed | WebhookAbandoned] = []
    if verdict.decision is Decision.DELIVERED:
        found.append(_delivered(claimed, attempt, attempted))
    exhausted = verdict.decision is Decision.ABANDONED and verdict.reason == "EXHAUSTED"
    if verdict.decision is Decision.FAILED or exhausted:
        reason = attempted.failure if exhausted else verdict.reason or attempted.failure
        found.append(_failed(claimed, attempt, attempted, reason, _again(verdict, now)))
    if verdict.decision is Decision.ABANDONED:
        found.append(_abandoned(claimed, attempt, verdict.reason or "", attempted.status))
    return [_fact(claimed.job_id, claimed.owner, data, now) for data in found]


def _delivered(claimed: ClaimedNotice, attempt: int, attempted: Attempted) -> WebhookDelivered:
    return WebhookDelivered(
        delivery_id=claimed.delivery_id,
        phase="status",
        endpoint_id=claimed.endpoint_id,
        change=claimed.change.number,
        attempt=attempt,
        status=attempted.status or 0,
        duration_ms=attempted.duration_ms,
    )


def _failed(
    claimed: ClaimedNotice, attempt: int, attempted: Attempted, reason: str, again: str | None
) -> WebhookFailed:
    return WebhookFailed(
        delivery_id=claimed.delivery_id,
        phase="status",
        endpoint_id=claimed.endpoint_id,
        change=claimed.change.number,
        attempt=attempt,
        reason=reason,
        status=attempted.status,
        duration_ms=attempted.duration_ms,
        next_attempt_at=again,
    )


def _abandoned(claimed: ClaimedNotice, attempt: int, reason: str, status: int | None) -> WebhookAbandoned:
    return WebhookAbandoned(
        delivery_id=claimed.delivery_id,
        phase="status",
        endpoint_id=claimed.endpoint_id,
        change=claimed.change.number,
        attempt=attempt,
        reason=reason,
        status=status,
    )


def _again(verdict: Verdict, now: datetime) -> str | None:
    if verdict.delay_s is None:
        return None
    return (now + timedelta(seconds=verdict.delay_s)).isoformat().replace("+00:00", "Z")


def _fact(job_id: str, owner: str, data: WebhookDelivered | WebhookFailed | WebhookAbandoned, now: datetime) -> Fact:
    fact_id = event_id(data.delivery_id, type(data).__name__, data.attempt)
    return Fact(id=fact_id, subject=job_id, owner=owner, time=now, source="notifier", data=data)


def _outcome(
    claimed: ClaimedNotice,
    now: datetime,
    *,
    attempts: int,
    delay_s: float | None = None,
    gone: bool = False,
    facts: tuple[Fact, ...] = (),
) -> NoticeOutcome:
    return NoticeOutcome(
        job_id=claimed.job_id,
        endpoint_id=claimed.endpoint_id,
        origin=claimed.origin,
        lease=claimed.leased_until,
        number=claimed.change.number,
        attempts=attempts,
        at=now,
        delay_s=delay_s,
        gone=gone,
        facts=facts,
    )
