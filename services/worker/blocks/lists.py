"""The markers of list items. Pure."""

import re
from typing import Final

ORDERED: Final = re.compile(r"[0-9]{1,9}[.)]")
"""A number that Markdown and HTML count with (CommonMark, 5.2)."""
BULLETS: Final = frozenset(["", *"-*+•◦▪▫■□●○‣∙·—", "\u2043", "\u2013"])
"""Signs that only state that an item begins; the last two are the hyphen bullet and the en dash."""


def number_of(marker: str) -> int | None:
    """Return the number of an ordered item, None for any other marker."""
    return int(marker[:-1]) if ORDERED.fullmatch(marker) else None


def label_of(marker: str) -> str:
    """Return a marker that is neither a bullet nor a number, such as `a)`: outputs show it as text; else empty."""
    return "" if marker in BULLETS or number_of(marker) is not None else marker
