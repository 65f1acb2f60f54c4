"""The effect of one attempt of a notice on its row; its facts are those of `attempt_facts`. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from piperoll.webhooks.attempts import Attempted
from schemas.envelope import Fact
from services.notifier.delivery.facts import About, abandoned_fact, attempt_facts
from services.notifier.delivery.verdict import Decision, Verdict
from services.notifier.notices.changes import Change, ClaimedNotice, notice_id


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeOutcome:
    """The changes of a claimed notice, under its lease.

    With `delay_s` the same change is sent again after it; without it the change is settled, and the next one follows.
    `gone`: the endpoint rejects further changes.
    """

    claimed: ClaimedNotice
    attempts: int
    at: datetime
    delay_s: float | None = None
    gone: bool = False
    facts: tuple[Fact, ...] = ()


def outcome_of(claimed: ClaimedNotice, attempted: Attempted, verdict: Verdict, now: datetime) -> NoticeOutcome:
    """The row and the facts after an attempt. A repeat changes only its delay; a trial makes no facts."""
    if verdict.decision is Decision.REPEAT:
        return NoticeOutcome(claimed=claimed, at=now, attempts=claimed.attempts, delay_s=verdict.delay_s)
    attempt = claimed.attempts + 1
    about = _about(claimed.job_id, claimed.endpoint_id, claimed.owner, claimed.change)
    facts = () if claimed.change.trial else attempt_facts(about, attempt, attempted, verdict, now)
    gone = verdict.decision is Decision.ABANDONED and verdict.reason == "GONE"
    return NoticeOutcome(claimed=claimed, at=now, attempts=attempt, delay_s=verdict.delay_s, gone=gone, facts=facts)


def not_sent(claimed: ClaimedNotice, reason: str, now: datetime) -> NoticeOutcome:
    """A change that is given up without a further attempt."""
    facts = withdrawn_facts(
        claimed.job_id, claimed.endpoint_id, claimed.owner, [claimed.change], claimed.attempts, reason, now
    )
    return NoticeOutcome(claimed=claimed, at=now, attempts=claimed.attempts, facts=tuple(facts))


def given_back(claimed: ClaimedNotice, now: datetime) -> NoticeOutcome:
    """A claimed notice returned without an attempt, or with an attempt interrupted by this process's stop."""
    return NoticeOutcome(claimed=claimed, at=now, attempts=claimed.attempts, delay_s=0.0)


def withdrawn_facts(
    job_id: str,
    endpoint_id: str,
    owner: str,
    changes: Sequence[Change],
    attempts: int,
    reason: str,
    now: datetime,
) -> list[Fact]:
    """The facts that changes are given up; `attempts` were made for the first of them."""
    return [
        abandoned_fact(_about(job_id, endpoint_id, owner, change), attempts if change is changes[0] else 0, reason, now)
        for change in changes
        if not change.trial
    ]


def _about(job_id: str, endpoint_id: str, owner: str, change: Change) -> About:
    delivery_id = notice_id(job_id, endpoint_id, change.number)
    return About(
        job_id=job_id,
        owner=owner,
        delivery_id=delivery_id,
        phase="status",
        endpoint_id=endpoint_id,
        change=change.number,
    )
