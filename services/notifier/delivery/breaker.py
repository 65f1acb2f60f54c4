"""The number of concurrent hooks to one receiver, from its recent answers: limit, slow down, pause, probe. Pure.

A receiver is an origin as one owner uses it. Only failures of the whole origin count: no connection, no answer in time,
429 and the gateway statuses. A 404 or 500 concerns one hook and shows that the origin is reachable.
"""

from dataclasses import dataclass

from piperoll.webhooks.attempts import Attempted, Ending

OPEN_AFTER = 4  # failures in a row; until then each one halves what is in flight
FIRST_PAUSE_S = 1.0
MAX_PAUSE_S = 60.0  # so that a receiver that comes back is noticed within about a minute
SLOW_DOWN = frozenset({429, 502, 503, 504})
UNREACHABLE = frozenset({Ending.TIMEOUT, Ending.CONNECTION, Ending.TLS, Ending.NAME_NOT_FOUND})


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state of one receiver. `paused_until` is on the caller's monotonic clock, in seconds."""

    failures: int = 0
    paused_until: float = 0.0


CLOSED = Breaker()


def room(breaker: Breaker, in_flight: int, bound: int, now: float) -> int:
    """How many more hooks may be sent to the receiver now."""
    if now < breaker.paused_until:
        return 0
    allowed = 1 if breaker.failures >= OPEN_AFTER else max(1, bound >> breaker.failures)
    return max(0, allowed - in_flight)


def observe(breaker: Breaker, attempted: Attempted, now: float) -> Breaker:
    """The breaker after an attempt."""
    if attempted.ending in (Ending.OURS, Ending.UNREADABLE, Ending.BLOCKED_ADDRESS):
        return breaker  # nothing was sent to the receiver
    if attempted.ending not in UNREACHABLE and attempted.status not in SLOW_DOWN:
        return CLOSED
    failures = breaker.failures + 1
    pause = FIRST_PAUSE_S * 2.0 ** min(failures - OPEN_AFTER, 16) if failures >= OPEN_AFTER else 0.0
    asked = attempted.retry_after_s or 0.0
    return Breaker(failures, max(breaker.paused_until, now + min(MAX_PAUSE_S, max(pause, asked))))
