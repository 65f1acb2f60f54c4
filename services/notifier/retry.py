"""What follows from an attempt: delivered, again later, given up, or not the receiver's fault. Pure.

Three classes of failure. The receiver's is recorded and retried on the schedule; ours is repeated without being
charged; poison is given up at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

MAX_RETRY_AFTER_S = 24 * 3600.0  # a receiver may ask for a day of quiet, not for ever
JITTER = 0.2  # added to a delay at most, as a part of it; never taken away
REPEAT_AFTER_S = 5.0  # when the fault was ours


class Ending(StrEnum):
    """How one attempt ended."""

    ANSWERED = "ANSWERED"
    TIMEOUT = "TIMEOUT"
    CONNECTION = "CONNECTION"
    TLS = "TLS"
    NAME_NOT_FOUND = "NAME_NOT_FOUND"
    BLOCKED_ADDRESS = "BLOCKED_ADDRESS"
    UNREADABLE = "UNREADABLE"
    OURS = "OURS"


@dataclass(frozen=True, slots=True)
class Attempted:
    """One attempt as it went. `status` only when the receiver answered; `retry_after_s` when it asked for that."""

    ending: Ending
    duration_ms: int = 0
    status: int | None = None
    retry_after_s: float | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it: 2xx and nothing else (a redirect is a failure)."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def failure(self) -> str:
        """The code of what went wrong, as it stands in WebhookFailed."""
        return "HTTP_STATUS" if self.ending is Ending.ANSWERED else self.ending.value


class Decision(StrEnum):
    """What to do with the hook."""

    DELIVERED = "delivered"
    FAILED = "failed"  # recorded; a final hook follows again after `delay_s`, a progress hook does not
    ABANDONED = "abandoned"
    REPEAT = "repeat"  # our fault: not recorded, not charged


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, and the code that stands in the fact about it."""

    decision: Decision
    reason: str | None = None
    delay_s: float | None = None


GONE = 410


def judge(attempted: Attempted, final: bool, turn: int, delays: Sequence[float], spread: float) -> Verdict:
    """What follows from the `turn`-th attempt of a hook by its schedule.

    `delays[n]` is the wait in seconds before turn n + 1; `spread` in [0, 1) draws the jitter.
    """
    if attempted.delivered:
        return Verdict(Decision.DELIVERED)
    if attempted.ending is Ending.OURS:
        return Verdict(Decision.REPEAT, delay_s=REPEAT_AFTER_S)
    if attempted.ending in (Ending.BLOCKED_ADDRESS, Ending.UNREADABLE):
        return Verdict(Decision.ABANDONED, attempted.ending.value)
    if attempted.status == GONE:
        return Verdict(Decision.ABANDONED, "GONE")
    if not final:
        return Verdict(Decision.FAILED, attempted.failure)
    if turn >= len(delays):
        return Verdict(Decision.ABANDONED, "EXHAUSTED")
    wait = delays[turn] * (1 + JITTER * spread)
    return Verdict(
        Decision.FAILED, attempted.failure, max(wait, min(attempted.retry_after_s or 0.0, MAX_RETRY_AFTER_S))
    )


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for (RFC 9110 10.2.3: seconds or a date); None for junk."""
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - now).total_seconds())


def patience_s(delays: Sequence[float]) -> float:
    """How long after its event a final hook is given up whatever happened: the schedule, and a day of Retry-After."""
    return sum(delays) * (1 + JITTER) + MAX_RETRY_AFTER_S
