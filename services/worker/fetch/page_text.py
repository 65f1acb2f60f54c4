"""The words of a web page, whole, with its lines kept (contract 13, step 1). Pure; fetches nothing.

Unlike a reader of articles it drops nothing that a visitor can read: on an event's page the speakers and times stand
beside the text, not in it.
"""

import re
from contextlib import suppress
from typing import Any

from lxml import etree, html

UNSEEN = ("script", "style", "noscript", "template", "svg", "iframe", "object", "select", "textarea")
INLINE = frozenset(
    {
        *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "font", "i", "kbd", "label", "mark"),
        *("q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"),
    }
)
"""Elements that stand within a line (HTML, 4.5)."""
BLANKS = re.compile(r"[^\S\n]+")
EMPTY_LINES = re.compile(r"\s*\n\s*")


def page_text(content: bytes, charset: str | None = None) -> str:
    """The page's title and text, a line for each block, blank lines dropped; empty for a page without words.

    `charset` is what the server said. Without it, what reads as UTF-8 is UTF-8, and else a page's own word counts.
    """
    try:
        root = html.document_fromstring(content, parser=_parser(content, charset))
    except (etree.ParserError, etree.XMLSyntaxError):  # nothing but blanks or comments
        return ""
    etree.strip_elements(root, etree.Comment, etree.ProcessingInstruction, *UNSEEN, with_tail=False)
    text = BLANKS.sub(" ", "".join(_pieces(root)))
    return EMPTY_LINES.sub("\n", text).strip()


def _parser(content: bytes, named: str | None) -> html.HTMLParser:
    """A parser for the named charset if there is one, else for UTF-8 if that fits; else the page's own word counts."""
    for charset in (named, _utf_8(content)):
        with suppress(LookupError):  # a charset that nobody knows
            if charset:
                return html.HTMLParser(encoding=charset)
    return html.HTMLParser()


def _utf_8(content: bytes) -> str | None:
    try:
        content.decode()
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _pieces(root: Any) -> list[str]:
    """The text in document order, a line end at both edges of every block. No recursion: pages nest deeply."""
    pieces: list[str] = []
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if element.tag not in INLINE:
            pieces.append("\n")
        said = element.text if event == "start" else element.tail
        if said:
            pieces.append(said.replace("\n", " "))
    return pieces
