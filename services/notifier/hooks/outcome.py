"""The effect of one attempt on the job's row; its facts are those of `attempt_facts`. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from piperoll.webhooks.attempts import Attempted
from schemas.envelope import Fact
from services.notifier.delivery.facts import About, attempt_facts
from services.notifier.delivery.verdict import Decision, Verdict
from services.notifier.hooks.order import ClaimedHook, Hook

State = Literal["open", "delivered", "abandoned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HookOutcome:
    """The changes of a claimed row, under its lease.

    `progress_number` is the handled progress, `mute` ends all progress, `delay_s` repeats the same hook after a delay;
    without it the next hook follows at once, if there is one.
    """

    claimed: ClaimedHook
    state: State
    attempts: int
    progress_number: int | None = None
    mute: bool = False
    delay_s: float | None = None
    facts: tuple[Fact, ...] = ()


def outcome_of(claimed: ClaimedHook, hook: Hook, attempted: Attempted, verdict: Verdict, now: datetime) -> HookOutcome:
    """The row and the facts after an attempt. A repeat changes only its delay."""
    if verdict.decision is Decision.REPEAT:
        return HookOutcome(claimed=claimed, state="open", attempts=claimed.attempts, delay_s=verdict.delay_s)
    about = About(
        job_id=claimed.job_id,
        owner=claimed.owner,
        delivery_id=hook.delivery_id,
        phase=hook.phase,
        origin=claimed.origin,
        request=claimed.request,
    )
    facts = attempt_facts(about, hook.attempt, attempted, verdict, now)
    abandoned = verdict.decision is Decision.ABANDONED
    if hook.progress is not None:
        number = hook.progress.number
        return HookOutcome(
            claimed=claimed,
            state="open",
            attempts=claimed.attempts,
            facts=facts,
            progress_number=number,
            mute=abandoned,
        )
    state: State = "open"
    if abandoned:
        state = "abandoned"
    elif verdict.decision is Decision.DELIVERED:
        state = "delivered"
    return HookOutcome(claimed=claimed, state=state, attempts=hook.attempt, facts=facts, delay_s=verdict.delay_s)


def nothing_due(claimed: ClaimedHook) -> HookOutcome:
    """A claimed row with nothing to send: its progress, if any, is out of date."""
    number = claimed.progress.number if claimed.progress else None
    return HookOutcome(claimed=claimed, state="open", attempts=claimed.attempts, progress_number=number)


def released(claimed: ClaimedHook) -> HookOutcome:
    """A claimed row returned without an attempt, or with an attempt interrupted by this process's stop."""
    return HookOutcome(claimed=claimed, state="open", attempts=claimed.attempts, delay_s=0.0)
