"""The Retry-After header. Pure. Written here again, since the client imports nothing else of Piperoll."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After in seconds or as a date (RFC 9110 10.2.3); None if missing or invalid."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])  # nine digits are more than thirty years
    try:
        due = parsedate_to_datetime(text)
        aware = due if due.tzinfo else due.replace(tzinfo=UTC)
        return max(0.0, (aware - now).total_seconds())
    except (ValueError, OverflowError):  # of a number too large for C, or a zone beyond the years 1 to 9999
        return None
