"""Text of plain files, web pages and the chapters of an EPUB, as Markdown with all visible text."""

import codecs
import posixpath
import re
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote
from zipfile import ZipFile

from lxml import etree

from schemas.errors import ErrorCode
from services.worker.characters.labels import decoded
from services.worker.errors import ProcessingError
from services.worker.fetch.readable import MAX_PAGE_BYTES
from services.worker.fetch.web_text import UNSEEN, page_text
from services.worker.files.kinds import KIND_NAMES, Kind
from services.worker.files.sources import Source
from services.worker.files.zip_bounds import open_zip
from services.worker.processors.extraction.parts import (
    MAX_CHARACTERS,
    ExtractedText,
    OnPart,
    TextLimit,
    TextPart,
    checked_count,
    reading,
)

if TYPE_CHECKING:
    from bs4 import BeautifulSoup

BYTES_PER_CHARACTER = 4  # of UTF-8 and UTF-16, at most
FALLBACK = "cp1252"  # the most common encoding that is not Unicode
NO_UNICODE = "The file is not UTF-8; it was read as Windows-1252, so letters outside Western Europe may be wrong."
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
CONTAINER = "META-INF/container.xml"  # EPUB 3.3, 4.2.6
CHAPTER = "application/xhtml+xml"
ENCRYPTION = "META-INF/encryption.xml"
EMPTY_LINES = re.compile(r"\n{3,}")
HEADING = re.compile(r"^#{1,6}[ \t]+([^ \t\n].*)$", re.MULTILINE)
TITLE_CHARS = 300
MAX_STRUCTURED = 4_000_000  # characters of HTML, 10 s and 350 MiB: longer pages become plain text
WORDS_ALONE = (
    "The document is too long or nested too deeply for headings, lists and tables: only its plain text was extracted."
)


class MarkdownPage(NamedTuple):
    """A page's title, its text as Markdown, and notes about lost structure."""

    title: str
    text: str
    notes: tuple[str, ...] = ()


def read_text(source: Source, kind: Kind) -> ExtractedText:
    """Return a text file unchanged; the title of a Markdown file is its first heading."""
    text, notes = _decoded(_whole(source, MAX_CHARACTERS * BYTES_PER_CHARACTER), declared=None)
    markdown = kind is Kind.MARKDOWN
    return ExtractedText(
        parts=(TextPart(TextLimit().add(text.replace("\r\n", "\n").strip())),),
        method="native",
        title=first_heading(text) if markdown else "",
        markdown=markdown,
        notes=notes,
    )


def read_html(source: Source) -> ExtractedText:
    """Return a web page as Markdown with all visible text."""
    content = _whole(source, MAX_PAGE_BYTES)
    html, notes = _decoded(content, declared=_declared(content))
    page = as_markdown(html)
    return ExtractedText(
        parts=(TextPart(TextLimit().add(page.text)),),
        method="native",
        title=page.title or first_heading(page.text),
        markdown=True,
        notes=(*notes, *page.notes),
    )


def as_markdown(html: str) -> MarkdownPage:
    """Return a page as Markdown; plain text, a line per block, if it is too long, too deep or not HTML."""
    from bs4.builder import ParserRejectedMarkup
    from bs4.element import PreformattedString

    if len(html) > MAX_STRUCTURED:
        return _words_of(html)
    try:
        soup = _soup(html)
    except ParserRejectedMarkup:
        return _words_of(html)
    title = " ".join(soup.title.get_text().split()) if soup.title else ""
    for element in soup(["head", "title", *UNSEEN]):
        element.decompose()
    for mark in soup.find_all(string=lambda text: isinstance(text, PreformattedString)):
        mark.extract()  # comments, the document type, the XML declaration
    try:
        return MarkdownPage(title[:TITLE_CHARS], tidy(_converter().convert_soup(soup)))
    except (RecursionError, ValueError):  # ValueError: a list whose start is not a number
        return MarkdownPage(title[:TITLE_CHARS], soup.get_text("\n", strip=True), (WORDS_ALONE,))


def _words_of(html: str) -> MarkdownPage:
    return MarkdownPage("", page_text(html.encode("utf-8", "replace"), "utf-8"), (WORDS_ALONE,))


def _soup(html: str) -> "BeautifulSoup":
    from bs4 import BeautifulSoup

    with warnings.catch_warnings():  # about XHTML, and about text that looks like a file name
        warnings.simplefilter("ignore")
        return BeautifulSoup(html, "html.parser")


def tidy(text: str) -> str:
    """Remove blanks at line ends and repeated empty lines."""
    return EMPTY_LINES.sub("\n\n", "\n".join(line.rstrip() for line in text.splitlines())).strip()


def first_heading(markdown: str) -> str:
    """Return the text of the first heading, empty without one."""
    found = HEADING.search(markdown)
    return (found[1].rstrip(" \t#") or found[1][0]).strip()[:TITLE_CHARS] if found else ""


def read_epub(source: Source, max_chapters: int, on_part: OnPart) -> ExtractedText:
    """Return the chapters of an EPUB in reading order (EPUB 3.3, 5.7). Raises ProcessingError FILE_ENCRYPTED, …"""
    limit = TextLimit()
    parts = []
    notes: dict[str, None] = {}
    with reading(KIND_NAMES[Kind.EPUB]), open_zip(source.path) as book:
        title, chapters, missing = _spine(book)
        _require_plain(book, chapters)
        checked_count(len(chapters), max_chapters, "chapter")
        for number, name in enumerate(chapters, 1):
            on_part(number, len(chapters))
            html, _ = _decoded(book.read(name), declared=None)
            page = as_markdown(html)
            parts.append(TextPart(limit.add(page.text)))
            notes |= dict.fromkeys(page.notes)
    if missing:
        notes[f"The book is incomplete: {missing} of its chapters are missing."] = None
    return ExtractedText(tuple(parts), "native", unit="chapter", title=title, markdown=True, notes=tuple(notes))


def _converter() -> Any:
    from markdownify import MarkdownConverter

    class Converter(MarkdownConverter):
        """Markdown without escapes, and with the descriptions of images instead of images."""

        def convert_img(self, el: Any, text: str, parent_tags: Any) -> str:
            return " ".join((el.attrs.get("alt") or "").split())

    return Converter(
        heading_style="ATX", bullets="-", table_infer_header=True, escape_asterisks=False, escape_underscores=False
    )


# --- characters -------------------------------------------------------------------------------------------------


def _whole(source: Source, max_bytes: int) -> bytes:
    if source.size > max_bytes:
        raise ProcessingError(
            ErrorCode.FILE_TOO_LARGE,
            f"The file has {source.size:,} bytes; at most {max_bytes:,} are allowed for its kind.",
        )
    source.file.seek(0)
    return source.file.read()


def _decoded(content: bytes, declared: str | None) -> tuple[str, tuple[str, ...]]:
    """Decode by the byte order mark, as UTF-8 if valid, by the declared charset, else as Windows-1252."""
    marked = next((charset for bom, charset in BOMS if content.startswith(bom)), None)
    for charset in (marked, "utf-8", declared):
        with suppress(LookupError, ValueError):  # an unknown charset, or one that does not fit
            if charset:
                return decoded(content, charset), ()
    return content.decode(FALLBACK, "replace"), (NO_UNICODE,)


def _declared(content: bytes) -> str | None:
    from bs4.dammit import EncodingDetector

    return EncodingDetector.find_declared_encoding(content, is_html=True)


# --- the parts of an EPUB ---------------------------------------------------------------------------------------


def _spine(book: ZipFile) -> tuple[str, list[str], int]:
    """Return the book's title, the names of its chapters in reading order, and the number of missing ones."""
    root_file = _xml(book, CONTAINER).find(".//{*}rootfile")
    if root_file is None:
        raise LookupError("the container names no package")
    place = str(root_file.get("full-path"))
    package = _xml(book, place)
    items = {item.get("id"): item for item in package.iterfind("{*}manifest/{*}item")}
    chapters = [items.get(reference.get("idref")) for reference in package.iterfind("{*}spine/{*}itemref")]
    paths = [
        posixpath.normpath(posixpath.join(posixpath.dirname(place), unquote(item.get("href", "")).partition("#")[0]))
        for item in chapters
        if item is not None and item.get("media-type", CHAPTER) in (CHAPTER, "text/html")
    ]
    present = set(book.namelist()).intersection(paths)
    if not present:
        raise LookupError("there is no chapter")
    title = package.findtext("{*}metadata/{http://purl.org/dc/elements/1.1/}title") or ""
    missing = sum(path not in present for path in paths) + sum(item is None for item in chapters)
    return " ".join(title.split())[:TITLE_CHARS], [path for path in paths if path in present], missing


def _require_plain(book: ZipFile, chapters: list[str]) -> None:
    """Raise ProcessingError FILE_ENCRYPTED when a chapter is encrypted; encrypted fonts are common and allowed."""
    if ENCRYPTION not in book.namelist():
        return
    encrypted = {unquote(entry.get("URI", "")) for entry in _xml(book, ENCRYPTION).iterfind(".//{*}CipherReference")}
    if encrypted.intersection(chapters):
        raise ProcessingError(ErrorCode.FILE_ENCRYPTED, "The EPUB is protected against copying: its text is encrypted.")


def _xml(book: ZipFile, name: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(book.read(name), parser)
