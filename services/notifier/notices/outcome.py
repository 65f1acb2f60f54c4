"""What one attempt to tell an endpoint means for its row; the facts that tell of it are `attempt_facts`. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from piperoll.webhooks.attempts import Attempted
from schemas.envelope import Fact
from services.notifier.delivery.facts import About, abandoned_fact, attempt_facts
from services.notifier.delivery.retry import Decision, Verdict
from services.notifier.notices.changes import Change, ClaimedNotice, notice_id


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
    about = _about(claimed.job_id, claimed.endpoint_id, claimed.owner, claimed.change)
    facts = () if claimed.change.trial else attempt_facts(about, attempt, attempted, verdict, now)
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
