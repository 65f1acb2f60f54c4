"""XHTML rewritten so that a parser of HTML reads it as it is meant. Pure."""

import re
from html import escape
from typing import Final

NAMESPACE: Final = "http://www.w3.org/1999/xhtml"
WITHIN: Final = 4096
"""Characters in which a page states that it is XHTML."""
CDATA: Final = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
CLOSED: Final = re.compile(r"<([a-zA-Z][^\s/<>\"']*+)((?:[^<>\"'/]|/(?!>)|\"[^\"<]*+\"|'[^'<]*+')*+)/>")
VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
"""Elements that HTML never ends (HTML, 13.1.2)."""


def is_xhtml(text: str) -> bool:
    """Whether a page states that it is XML."""
    start = text[:WITHIN]
    return start.lstrip().startswith("<?xml") or NAMESPACE in start


def as_html(text: str) -> str:
    """Return XHTML with an end tag for each element that ends in its start tag, and with CDATA sections as text.

    Without it `<title/>` would make the whole page a title.
    """
    return CLOSED.sub(_ended, CDATA.sub(lambda found: escape(found[1]), text))


def _ended(found: re.Match[str]) -> str:
    name, attributes = found[1], found[2]
    return found[0] if name.lower() in VOID else f"<{name}{attributes}></{name}>"
