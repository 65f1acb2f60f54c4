"""Text of the chapters of an EPUB, in reading order."""

import posixpath
from typing import Any
from urllib.parse import unquote
from zipfile import ZipFile

from lxml import etree

from schemas.errors import ErrorCode
from schemas.formats import OF_KIND, Kind
from services.worker.characters import declared
from services.worker.characters.reading import read
from services.worker.errors import ProcessingError
from services.worker.files.marks import EPUB_CONTAINER
from services.worker.files.sources import Source
from services.worker.files.zip_bounds import DAMAGED, open_zip
from services.worker.processors.extraction.markup import TITLE_CHARS, bounded_page
from services.worker.processors.extraction.parts import (
    ExtractedText,
    OnPart,
    TextLimit,
    TextPart,
    checked_count,
    reading,
)

CHAPTER = "application/xhtml+xml"
ENCRYPTION = "META-INF/encryption.xml"


def read_epub(source: Source, max_chapters: int, on_part: OnPart) -> ExtractedText:
    """Return the chapters of an EPUB in reading order (EPUB 3.3, 5.7). A damaged one costs its own text.

    Raises ProcessingError FILE_ENCRYPTED, TOO_MANY_PAGES; INVALID_DOCUMENT if no chapter can be read.
    """
    limit = TextLimit()
    parts: list[TextPart] = []
    notes: dict[str, None] = {}
    failed = []
    with reading(OF_KIND[Kind.EPUB].name), open_zip(source.path) as book:
        title, chapters, missing = _spine(book)
        _require_plain(book, chapters)
        checked_count(len(chapters), max_chapters, "chapter")
        for number, name in enumerate(chapters, 1):
            on_part(number, len(chapters))
            try:
                content = book.read(name)
            except DAMAGED:
                failed.append(number)
                parts.append(TextPart(""))
                notes[f"Chapter {number} is damaged and cannot be read."] = None
                continue
            found = read(content, [declared.in_page(content)])
            page = bounded_page(found.text, number, f"chapter {number}, ")
            parts.append(limit.part(TextPart.of(page.blocks)))
            notes |= dict.fromkeys((*found.notes, *page.notes))
        if len(failed) == len(chapters):
            raise LookupError("no chapter can be read")
    if missing:
        notes[f"The book is incomplete: {missing} of its chapters are missing."] = None
    return ExtractedText(
        tuple(parts),
        "native",
        unit="chapter",
        title=title,
        markdown=True,
        notes=tuple(notes),
        failed=tuple(failed),
    )


def _spine(book: ZipFile) -> tuple[str, list[str], int]:
    """Return the book's title, the names of its chapters in reading order, and the number of missing ones."""
    root_file = _xml(book, EPUB_CONTAINER).find(".//{*}rootfile")
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
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    root = etree.fromstring(book.read(name), parser)
    if root is None:
        raise LookupError(f"{name} holds no XML")
    return root
