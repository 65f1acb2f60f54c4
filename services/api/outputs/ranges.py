"""Byte ranges of requests (RFC 9110, 14.1.2 and 14.2). Pure."""

import re

_ONE_RANGE = re.compile(r"bytes=\s*(\d*)-(\d*)\s*", re.ASCII | re.IGNORECASE)
MAX_DIGITS = 18  # more than any file has bytes, and cheap to parse


class UnsatisfiableRangeError(ValueError):
    """The range begins beyond the end of the file."""


def requested_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return begin and end (exclusive) of a range; None for the whole file. Anything but a single range of bytes is
    ignored, as the RFC allows. Raises UnsatisfiableRangeError."""
    found = _ONE_RANGE.fullmatch(header or "")
    if found is None or max(map(len, found.groups())) > MAX_DIGITS:
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        begin, end = max(0, size - int(last)), size
    else:
        begin, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < int(first):
            return None
    if begin >= size or begin >= end:
        raise UnsatisfiableRangeError(f"the file has {size} bytes")
    return begin, end
