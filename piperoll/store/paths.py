"""Which uris of claims every blob store accepts. Pure."""

import re

LONGEST_URI = 1024  # bytes; the maximum of S3
LONGEST_PART = 255  # bytes; the maximum of a file name
_PARTS = re.compile(r"[^/\x00-\x1f\x7f]+(/[^/\x00-\x1f\x7f]+)*")


def refusal_of(uri: str) -> str | None:
    """Return why no blob can be at `uri`: empty, too long, with an empty part, `.`, `..` or control characters."""
    raw = uri.encode(errors="replace")
    if len(raw) > LONGEST_URI:
        return f"it is longer than {LONGEST_URI} bytes"
    if not _PARTS.fullmatch(uri):
        return "it has an empty part or a control character"
    for part in raw.split(b"/"):
        if part in (b".", b".."):
            return "it has a part . or .."
        if len(part) > LONGEST_PART:
            return f"it has a part longer than {LONGEST_PART} bytes"
    return None
