"""Documents of another format that a Word document holds (w:altChunk, ISO/IEC 29500-1, 17.17.2.1)."""

from collections.abc import Iterable, Iterator
from email import message_from_bytes, policy
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any, Final
from zipfile import ZipFile

from schemas.blocks import Block, BlockKind, block
from services.worker.characters import declared
from services.worker.characters.reading import read
from services.worker.files.zip_bounds import packed_as_usual
from services.worker.markup.page import read_page, words_of
from services.worker.office.names import full
from services.worker.office.package import Package, Part
from services.worker.office.word.story import Beside
from services.worker.run.page_care import at_page

ZIP: Final = b"PK\x03\x04"
MAX_INFLATED: Final = 64 * 1024**2
"""Bytes that an embedded document may unpack to."""
WEB: Final = frozenset({".html", ".htm", ".xhtml", ".dat"})
ARCHIVES: Final = frozenset({".mht", ".mhtml", ".eml"})
PLACE: Final = "an embedded page, "
"""Begins the places of words that an embedded page has lost."""
UNREAD: Final = "A document that is embedded as a chunk ({}) was not read."


def chunk_blocks(element: Any, part: Part, beside: Beside) -> Iterator[Block]:
    """Yield what a chunk holds: a web page, one with its pictures (MHT), a Word document or a plain text."""
    chunk = part.related(element.get(full("r:id")))
    content = chunk.package.read(chunk.name)
    ending = PurePosixPath(chunk.name).suffix.lower()
    head = content[:1024].lstrip().lower()
    if content.startswith(ZIP):
        yield from _document(content, beside)
    elif ending in ARCHIVES or head.startswith((b"mime-version:", b"from:")):
        yield from _web_archive(content, beside)
    elif ending in WEB or head.startswith((b"<!doctype html", b"<html")):
        yield from _web_page(content, None, beside)
    elif ending == ".txt":
        found = read(content)
        _note(beside, found.notes)
        yield from _lines(found.text)
    else:
        beside.notes.add(UNREAD.format(ending or "of an unknown format"))


def _document(content: bytes, beside: Beside) -> Iterator[Block]:
    if beside.embedded is None:
        beside.notes.add(UNREAD.format("within too many others"))
        return
    with ZipFile(BytesIO(content)) as archive:
        members = archive.infolist()
        if not all(packed_as_usual(member) for member in members):
            beside.notes.add(UNREAD.format("packed in a rare way"))
            return
        if sum(member.file_size for member in members) > MAX_INFLATED:
            beside.notes.add(UNREAD.format(f"more than {MAX_INFLATED:,} bytes"))
            return
        yield from beside.embedded(Package(archive, beside.notes))


def _web_archive(content: bytes, beside: Beside) -> Iterator[Block]:
    """Yield the pages of an archive in MIME (RFC 2557)."""
    for part in message_from_bytes(content, policy=policy.default).walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                yield from _web_page(payload, part.get_content_charset(), beside)


def _web_page(content: bytes, charset: str | None, beside: Beside) -> Iterator[Block]:
    """Yield a page; its words alone if its structure took too long or too much memory in this run."""
    found = read(content, [charset, declared.in_page(content)])
    page = at_page("text", 1, read_page, found.text, PLACE) or words_of(found.text)
    _note(beside, (*found.notes, *page.notes))
    yield from page.blocks


def _note(beside: Beside, notes: Iterable[str]) -> None:
    for note in notes:
        beside.notes.add(note)


def _lines(text: str) -> Iterator[Block]:
    for line in text.splitlines():
        if line.strip():
            yield block(BlockKind.PARAGRAPH, line.strip())
