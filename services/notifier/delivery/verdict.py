"""The consequence of an attempt: delivered, retried, given up, or not the receiver's fault. Pure.

Three classes of failure: the receiver's is recorded and retried on the schedule; a fault of this service is repeated
without being counted; poison is given up at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from piperoll.webhooks.attempts import Attempted, Ending

MAX_RETRY_AFTER_S = 24 * 3600.0  # a receiver may delay by a day at most
JITTER = 0.2  # maximum addition to a delay, as a part of it
REPEAT_AFTER_S = 5.0  # after a fault of this service


class Decision(StrEnum):
    """The next step for the hook."""

    DELIVERED = "delivered"
    FAILED = "failed"  # recorded; a final hook is repeated after `delay_s`, a progress hook does not
    ABANDONED = "abandoned"
    REPEAT = "repeat"  # a fault of this service: not recorded, not counted


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, and the code in the fact about it."""

    decision: Decision
    reason: str | None = None
    delay_s: float | None = None


GONE = 410


def judge(attempted: Attempted, final: bool, turn: int, delays: Sequence[float], spread: float) -> Verdict:
    """The consequence of the `turn`-th attempt of a hook by its schedule.

    `delays[n]` is the wait in seconds before turn n + 1; `spread` in [0, 1) is the random jitter.
    """
    if attempted.delivered:
        return Verdict(Decision.DELIVERED)
    asked_s = min(attempted.retry_after_s or 0.0, MAX_RETRY_AFTER_S)
    if attempted.ending is Ending.OURS:
        return Verdict(Decision.REPEAT, delay_s=max(REPEAT_AFTER_S, asked_s))
    if attempted.ending in (Ending.BLOCKED_ADDRESS, Ending.UNREADABLE):
        return Verdict(Decision.ABANDONED, attempted.ending.value)
    if attempted.status == GONE:
        return Verdict(Decision.ABANDONED, "GONE")
    if not final:
        return Verdict(Decision.FAILED, attempted.failure)
    if turn >= len(delays):
        return Verdict(Decision.ABANDONED, "EXHAUSTED")
    wait = delays[turn] * (1 + JITTER * spread)
    return Verdict(Decision.FAILED, attempted.failure, max(wait, asked_s))


def patience_s(delays: Sequence[float]) -> float:
    """The age at which a final hook is given up in any case: the schedule, and a day of Retry-After."""
    return sum(delays) * (1 + JITTER) + MAX_RETRY_AFTER_S
