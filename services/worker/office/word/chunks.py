"""Documents of another format that a Word document holds (w:altChunk, ISO/IEC 29500-1, 17.17.2.1)."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any, Final
from zipfile import ZipFile

from schemas.blocks import Block, BlockKind, block
from services.worker.fetch.web_text import page_text
from services.worker.office.names import full
from services.worker.office.package import Package, Part
from services.worker.office.word.story import Beside

ZIP: Final = b"PK\x03\x04"
MAX_INFLATED: Final = 64 * 1024**2
"""Bytes that an embedded document may unpack to."""
WEB: Final = frozenset({".html", ".htm", ".xhtml", ".dat"})
ARCHIVES: Final = frozenset({".mht", ".mhtml", ".eml"})
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
        yield from _web_archive(content)
    elif ending in WEB or head.startswith((b"<!doctype html", b"<html")):
        yield from _web_page(content, None)
    elif ending == ".txt":
        yield from _lines(content.decode("utf-8", "replace"))
    else:
        beside.notes.add(UNREAD.format(ending or "of an unknown format"))


def _document(content: bytes, beside: Beside) -> Iterator[Block]:
    if beside.embedded is None:
        beside.notes.add(UNREAD.format("within too many others"))
        return
    with ZipFile(BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_INFLATED:
            beside.notes.add(UNREAD.format(f"more than {MAX_INFLATED:,} bytes"))
            return
        yield from beside.embedded(Package(archive, beside.notes))


def _web_archive(content: bytes) -> Iterator[Block]:
    """Yield the pages of an archive in MIME (RFC 2557)."""
    for part in message_from_bytes(content, policy=policy.default).walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                yield from _web_page(payload, part.get_content_charset())


def _web_page(content: bytes, charset: str | None) -> Iterator[Block]:
    yield from _lines(page_text(content, charset))


def _lines(text: str) -> Iterator[Block]:
    for line in text.splitlines():
        if line.strip():
            yield block(BlockKind.PARAGRAPH, line.strip())
