"""Text of plain files and of web pages, all that is visible of them."""

import re

from schemas.errors import ErrorCode
from schemas.formats import OF_KIND, Kind
from services.worker.blocks.markdown import markdown
from services.worker.characters import declared
from services.worker.characters.reading import read
from services.worker.errors import ProcessingError
from services.worker.fetch.readable import MAX_PAGE_BYTES
from services.worker.files.sources import Source
from services.worker.markup.drawing import read_drawing
from services.worker.markup.page import Page, read_page, words_of
from services.worker.processors.extraction.parts import MAX_CHARACTERS, ExtractedText, TextLimit, TextPart, reading
from services.worker.rich_text.reader import read_rich_text
from services.worker.run.page_care import at_page

MAX_RTF_BYTES = 100 * 1024 * 1024  # pictures stand in it as digits
BYTES_PER_CHARACTER = 4  # of UTF-8 and UTF-16, at most
HEADING = re.compile(r"^#{1,6}[ \t]+([^ \t\n].*)$", re.MULTILINE)
TITLE_CHARS = 300


def read_text(source: Source, kind: Kind) -> ExtractedText:
    """Return a text file unchanged; the title of a Markdown file is its first heading."""
    found = read(whole(source, MAX_CHARACTERS * BYTES_PER_CHARACTER), [source.charset])
    markdown = kind is Kind.MARKDOWN
    return ExtractedText(
        parts=(TextPart(TextLimit().add(found.text.replace("\r\n", "\n").strip())),),
        method="native",
        title=first_heading(found.text) if markdown else "",
        markdown=markdown,
        notes=found.notes,
    )


def read_html(source: Source) -> ExtractedText:
    """Return a web page with all visible text."""
    content = whole(source, MAX_PAGE_BYTES)
    found = read(content, [source.charset, declared.in_page(content)])
    page = bounded_page(found.text)
    part = TextLimit().part(TextPart.of(page.blocks))
    return ExtractedText(
        parts=(part,),
        method="native",
        title=page.title or first_heading(part.content),
        markdown=True,
        notes=(*found.notes, *page.notes),
    )


def bounded_page(html: str, number: int = 1, where: str = "") -> Page:
    """Return a page as `read_page` does; its words alone if that took too long, or too much memory, in this run."""
    return at_page("text", number, read_page, html, where) or words_of(html)


def first_heading(markdown: str) -> str:
    """Return the text of the first heading, empty without one."""
    found = HEADING.search(markdown)
    return (found[1].rstrip(" \t#") or found[1][0]).strip()[:TITLE_CHARS] if found else ""


def read_svg(source: Source) -> ExtractedText:
    """Return the words of a drawing."""
    with reading(OF_KIND[Kind.SVG].name):
        page = read_drawing(whole(source, MAX_PAGE_BYTES))
    part = TextLimit().part(TextPart.of(page.blocks))
    return ExtractedText((part,), "native", title=page.title, markdown=True, notes=page.notes)


def read_rtf(source: Source) -> ExtractedText:
    """Return a Rich Text document's text with headings and tables; headers and footers once."""
    with reading(OF_KIND[Kind.RTF].name):
        found = read_rich_text(whole(source, MAX_RTF_BYTES))
    content = markdown(found.blocks, escaped=False, furniture=True)
    part = TextLimit().part(TextPart(content, blocks=found.blocks))
    return ExtractedText((part,), "native", title=found.title, markdown=True, notes=found.notes, furniture=True)


def whole(source: Source, max_bytes: int) -> bytes:
    """Return the bytes of a file. Raises ProcessingError FILE_TOO_LARGE."""
    if source.size > max_bytes:
        raise ProcessingError(
            ErrorCode.FILE_TOO_LARGE,
            f"The file has {source.size:,} bytes; at most {max_bytes:,} are allowed for its kind.",
        )
    source.file.seek(0)
    return source.file.read()
