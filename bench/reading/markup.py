"""The words of web pages and of the chapters of an EPUB: the texts between the tags, by a tokeniser alone."""

import posixpath
import re
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import unquote
from zipfile import ZipFile

from lxml import etree
from webencodings import lookup

UNSEEN: Final = frozenset(
    {"script", "style", "template", "noscript", "iframe", "object", "select", "textarea", "title", "svg", "annotation"}
)
"""Elements whose content is not text of the page; options of a form are not, either."""
INLINE: Final = frozenset(
    {
        *("a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "mark"),
        *("q", "s", "small", "span", "strong", "sub", "sup", "tt", "u", "var", "wbr"),
    }
)
CHARSET: Final = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w-]+)""", re.IGNORECASE)
FEW_BAD: Final = 0.02
"""The share of bad bytes with which a text is UTF-8 nevertheless."""
MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


class _Texts(HTMLParser):
    """Collects the texts of a page outside of elements that are not shown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._apart(tag)
        if tag in UNSEEN:
            self._inside.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self._apart(tag)

    def handle_endtag(self, tag: str) -> None:
        self._apart(tag)
        if tag in self._inside:
            del self._inside[self._inside.index(tag) :]

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.found.append(data)

    def _apart(self, tag: str) -> None:
        if tag not in INLINE:
            self.found.append("\n")


def html_words(content: bytes) -> dict[str, str]:
    """Return the text of a page as its `body`."""
    page = _Texts()
    page.feed(decoded(content))
    page.close()
    return {"body": "".join(page.found)}


def epub_words(book: ZipFile) -> dict[str, str]:
    """Return the text of the chapters in the spine as `body`."""
    container = etree.fromstring(book.read("META-INF/container.xml"))
    place = next(container.iter("{*}rootfile")).get("full-path", "")
    package = etree.fromstring(book.read(place))
    hrefs = {item.get("id"): item.get("href", "") for item in package.iter("{*}item")}
    members = set(book.namelist())
    texts = []
    for reference in package.iter("{*}itemref"):
        href = unquote(hrefs.get(reference.get("idref"), "")).partition("#")[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(place), href))
        if path in members and path.endswith(("html", "htm")):
            texts.append(html_words(book.read(path))["body"])
    return {"body": "\n".join(texts)}


def decoded(content: bytes) -> str:
    """Return a text's characters: by its byte order mark, by what it declares, else as UTF-8.

    Raises UnicodeDecodeError if it declares nothing and more than a few bytes are not UTF-8: it cannot be judged.
    """
    for mark, name in MARKS:
        if content.startswith(mark):
            return content.decode(name, "replace")
    declared = CHARSET.search(content)
    encoding = lookup(declared[1].decode("ascii", "replace")) if declared else None
    if encoding is not None:
        return str(encoding.codec_info.decode(content, "replace")[0])
    text = content.decode("utf-8", "replace")
    return text if text.count("\ufffd") <= FEW_BAD * len(text) else content.decode("utf-8")
