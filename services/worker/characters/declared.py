"""The encoding that a web page or an XML file declares in its text. Pure."""

import re
from typing import Final

COMMENT: Final = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
HEAD_END: Final = re.compile(rb"</head\b|<body\b", re.IGNORECASE)
META: Final = re.compile(rb"<meta\b([^<>]*)", re.IGNORECASE)
CHARSET: Final = re.compile(rb"charset\s*+=\s*+[\"']?\s*+([A-Za-z0-9._:\-]++)", re.IGNORECASE)
XML: Final = re.compile(rb"\s*<\?xml\b[^<>]*?encoding\s*=\s*[\"']([A-Za-z0-9._:\-]+)", re.IGNORECASE)
WIDE: Final = re.compile(r"utf-?(16|32)", re.IGNORECASE)
MAX_HEAD: Final = 1_000_000
"""Bytes in which a declaration is looked for."""


def in_page(content: bytes) -> str:
    """Return the label in a `meta` of the head, however far behind, else in the XML declaration; empty without one."""
    head = COMMENT.sub(b"", content[:MAX_HEAD])
    if end := HEAD_END.search(head):
        head = head[: end.start()]
    for meta in META.finditer(head):
        if found := CHARSET.search(meta[1]):
            return _label(found[1])
    return in_xml(content)


def in_xml(content: bytes) -> str:
    """Return the label in the XML declaration, empty without one."""
    found = XML.match(content[:1024])
    return _label(found[1]) if found else ""


def _label(found: bytes) -> str:
    """Return a label; UTF-8 for one in which the declaration could not have been read (HTML, 13.2.3.2)."""
    label = found.decode("ascii")
    return "utf-8" if WIDE.match(label) else label
