"""The clock, passed as a parameter so that tests can control it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the current time with time zone UTC."""
    return datetime.now(UTC)
