"""What one attempt means for the job's row, and the facts that tell of it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from schemas.envelope import Fact
from schemas.events import Event, Phase, WebhookAbandoned, WebhookDelivered, WebhookFailed
from schemas.ids import event_id
from services.notifier.hooks import Claimed, Hook
from services.notifier.retry import Attempted, Decision, Verdict

State = Literal["open", "delivered", "abandoned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What to write for a claimed row, under its lease.

    `progress_number` is the progress that is dealt with, `mute` that no progress is sent any more, `delay_s` when
    the same hook follows again; without it the next hook follows at once, if there is one.
    """

    job_id: str
    origin: str
    lease: datetime
    state: State
    attempts: int
    progress_number: int | None = None
    mute: bool = False
    delay_s: float | None = None
    facts: tuple[Fact, ...] = ()


def outcome_of(claimed: Claimed, hook: Hook, attempted: Attempted, verdict: Verdict, now: datetime) -> Outcome:
    """The row and the facts after an attempt. A repeat leaves no trace but its delay."""
    if verdict.decision is Decision.REPEAT:
        return _outcome(claimed, "open", claimed.attempts, delay_s=verdict.delay_s)
    facts = tuple(_facts(claimed, hook, attempted, verdict, now))
    abandoned = verdict.decision is Decision.ABANDONED
    if hook.progress is not None:
        number = hook.progress.number
        return _outcome(claimed, "open", claimed.attempts, facts=facts, progress_number=number, mute=abandoned)
    state: State = "open"
    if abandoned:
        state = "abandoned"
    elif verdict.decision is Decision.DELIVERED:
        state = "delivered"
    return _outcome(claimed, state, hook.attempt, facts=facts, delay_s=verdict.delay_s)


def nothing_due(claimed: Claimed) -> Outcome:
    """A claimed row with nothing to tell: its progress, if any, is out of date."""
    number = claimed.progress.number if claimed.progress else None
    return _outcome(claimed, "open", claimed.attempts, progress_number=number)


def released(claimed: Claimed) -> Outcome:
    """A claimed row given back unattempted, or with an attempt cut short by our own end."""
    return _outcome(claimed, "open", claimed.attempts, delay_s=0.0)


def abandoned_fact(
    job_id: str,
    owner: str,
    delivery: str,
    phase: Phase,
    attempt: int,
    reason: str,
    now: datetime,
    *,
    status: int | None = None,
) -> Fact:
    """No further attempt of this hook will be made."""
    data = WebhookAbandoned(delivery_id=delivery, phase=phase, attempt=attempt, reason=reason, status=status)
    return _fact(job_id, owner, delivery, attempt, data, now)


def _facts(claimed: Claimed, hook: Hook, attempted: Attempted, verdict: Verdict, now: datetime) -> list[Fact]:
    """One fact an attempt; the last failure of a schedule is told as failed and as abandoned."""
    facts: list[Fact] = []
    if verdict.decision is Decision.DELIVERED:
        facts.append(_about(claimed, hook, _delivered(hook, attempted), now))
    if verdict.decision is Decision.FAILED:
        facts.append(_about(claimed, hook, _failed(hook, attempted, verdict, now), now))
    if verdict.decision is Decision.ABANDONED:
        reason = verdict.reason or ""
        if reason == "EXHAUSTED":
            last = Verdict(Decision.FAILED, attempted.failure)
            facts.append(_about(claimed, hook, _failed(hook, attempted, last, now), now))
        facts.append(
            abandoned_fact(
                claimed.job_id,
                claimed.owner,
                hook.delivery_id,
                hook.phase,
                hook.attempt,
                reason,
                now,
                status=attempted.status,
            )
        )
    return facts


def _delivered(hook: Hook, attempted: Attempted) -> WebhookDelivered:
    return WebhookDelivered(
        delivery_id=hook.delivery_id,
        phase=hook.phase,
        attempt=hook.attempt,
        status=attempted.status or 0,
        duration_ms=attempted.duration_ms,
    )


def _failed(hook: Hook, attempted: Attempted, verdict: Verdict, now: datetime) -> WebhookFailed:
    again = None if verdict.delay_s is None else now + timedelta(seconds=verdict.delay_s)
    return WebhookFailed(
        delivery_id=hook.delivery_id,
        phase=hook.phase,
        attempt=hook.attempt,
        reason=verdict.reason or attempted.failure,
        status=attempted.status,
        duration_ms=attempted.duration_ms,
        next_attempt_at=again.isoformat().replace("+00:00", "Z") if again else None,
    )


def _about(claimed: Claimed, hook: Hook, data: Event, now: datetime) -> Fact:
    return _fact(claimed.job_id, claimed.owner, hook.delivery_id, hook.attempt, data, now)


def _fact(job_id: str, owner: str, delivery: str, attempt: int, data: Event, now: datetime) -> Fact:
    name = type(data).__name__
    return Fact(
        id=event_id(delivery, name, attempt), subject=job_id, owner=owner, time=now, source="notifier", data=data
    )


def _outcome(
    claimed: Claimed,
    state: State,
    attempts: int,
    *,
    progress_number: int | None = None,
    mute: bool = False,
    delay_s: float | None = None,
    facts: tuple[Fact, ...] = (),
) -> Outcome:
    return Outcome(
        job_id=claimed.job_id,
        origin=claimed.origin,
        lease=claimed.leased_until,
        state=state,
        attempts=attempts,
        progress_number=progress_number,
        mute=mute,
        delay_s=delay_s,
        facts=facts,
    )
