"""The brokers' time, on which delays and ages are measured, so that a wrong clock of a machine has no effect.

A sample is the broker's time of an append and the moments before and after it. Between samples the time goes on by
the monotonic clock, so a step of the machine's clock has no effect.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from piperoll.clock import Clock, utc_now

TOLERANCE_S = 5.0  # a larger difference is a problem of the machine
PRECISE_S = 1.0  # an append that took longer gives no usable time
STEP_S = 0.5  # smaller corrections are noise: times must not go back and forth


class BrokerClock:
    """A Clock (piperoll.clock) that follows the brokers; before the first sample, the machine's own."""

    def __init__(self, own: Clock = utc_now, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._own = own
        self._elapsed = elapsed
        self._anchor: tuple[float, float] | None = None  # the broker's seconds since 1970, at these elapsed seconds

    def __call__(self) -> datetime:
        """The brokers' time."""
        if self._anchor is None:
            return self._own()
        return datetime.fromtimestamp(self._at(self._elapsed()), UTC)

    def sample(self, timestamp_ms: int, took_s: float) -> None:
        """Take over the time that a broker gave to an append which ended now and took `took_s`."""
        if took_s <= PRECISE_S:
            self.follow(datetime.fromtimestamp(timestamp_ms / 1000 + took_s / 2, UTC))

    def follow(self, now: datetime) -> None:
        """Take over the time of a server, such as Postgres before the first append."""
        seen, elapsed = now.timestamp(), self._elapsed()
        known = self._own().timestamp() if self._anchor is None else self._at(elapsed)
        if abs(seen - known) > STEP_S:
            self._anchor = (seen, elapsed)

    def read(self, timestamp_ms: int) -> None:
        """Note the append time of a record that was read: the brokers' time is not earlier."""
        if timestamp_ms / 1000 > self().timestamp() + STEP_S:
            self.follow(datetime.fromtimestamp(timestamp_ms / 1000, UTC))

    def problem(self) -> str | None:
        """A sentence while this machine's clock differs from the brokers' by more than TOLERANCE_S."""
        return difference((self._own() - self()) / timedelta(seconds=1), "Kafka")

    def _at(self, elapsed: float) -> float:
        assert self._anchor is not None  # callers have checked
        return self._anchor[0] + elapsed - self._anchor[1]


def difference(ahead_s: float, server: str) -> str | None:
    """A sentence about a clock that is `ahead_s` seconds ahead of a server's; None within TOLERANCE_S."""
    if abs(ahead_s) <= TOLERANCE_S:
        return None
    way = "ahead of" if ahead_s > 0 else "behind"
    return f"this machine's clock is {abs(ahead_s):.0f} s {way} that of {server}: synchronise both (NTP)"
