"""The complete text of a web page, line by line (docs/contract/secretary.md#session-run, step 1). Pure.

Unlike article extraction it keeps all visible text: on an event's page speakers and times are outside the article.
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
"""Inline elements (HTML, 4.5)."""
BLANKS = re.compile(r"[^\S\n]+")
EMPTY_LINES = re.compile(r" ?\n\s*")  # after BLANKS


def page_text(content: bytes, charset: str | None = None) -> str:
    """Return the page's title and text, a line per block, without blank lines; empty for a page without text.

    `charset` is the one declared by the server; without it UTF-8 is tried, then the page's declaration.
    """
    try:
        root = html.document_fromstring(content, parser=_parser(content, charset))
    except (etree.ParserError, etree.XMLSyntaxError):  # only blanks or comments
        return ""
    etree.strip_elements(root, etree.Comment, etree.ProcessingInstruction, *UNSEEN, with_tail=False)
    text = BLANKS.sub(" ", "".join(_pieces(root)))
    return EMPTY_LINES.sub("\n", text).strip()


def _parser(content: bytes, named: str | None) -> html.HTMLParser:
    """Return a parser for the declared charset if known, else for UTF-8 if valid, else by the page's declaration."""
    for charset in (named, _utf_8(content)):
        with suppress(LookupError):  # an unknown charset
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
    """Return the text in document order, a line end around every block. No recursion, since pages nest deeply."""
    pieces: list[str] = []
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if element.tag not in INLINE:
            pieces.append("\n")
        text = element.text if event == "start" else element.tail
        if text:
            pieces.append(text.replace("\n", " "))
    return pieces
