"""Time, passed in as data so that tests can hold it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present, with its time zone."""
    return datetime.now(UTC)
