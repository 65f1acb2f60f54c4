"""A message as blocks: its headers, its words, the messages that it carries, and a list of its attachments.

Of alternatives the richest is read, as mail programs show it: the HTML if it has words, else the plain text.
"""

from collections.abc import Callable, Iterable
from email.message import Message
from typing import Final

from schemas.blocks import Block, BlockKind, Span, block
from services.worker.blocks.outputs import paragraphs
from services.worker.characters import declared
from services.worker.characters.reading import read
from services.worker.mail.parts import (
    MAX_DEPTH,
    SHOWN,
    CarriedFile,
    carried_files,
    children,
    content_of,
    file_name,
    header,
    is_attached,
    shown,
    text_parts,
)
from services.worker.markup.page import Page

ReadPage = Callable[[str, int], Page]
"""Reads a web page, with its number in the message from 1."""
ENCRYPTED: Final = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
MESSAGES: Final = frozenset({"message/rfc822", "message/global", "message/news", "message/partial"})
LISTED: Final = 20
"""Attachments that a warning names."""


class MailReader:
    """Reads one message. `notes` list what was not read."""

    def __init__(self, read_page: ReadPage) -> None:
        self._read_page = read_page
        self._pages = 0
        self._unread: list[CarriedFile] = []
        self._notes: dict[str, None] = {}

    def blocks(self, message: Message) -> list[Block]:
        """Return the blocks of a message."""
        return self._message(message, 0)

    def archive(self, message: Message) -> Page:
        """Return a web page that was saved as a message, with the pages of its frames."""
        pages = [self._page(part) for part in text_parts(message, "text/html")]
        if not pages:
            return Page("", tuple(self._part(message, 0, [])))
        title = next((page.title for page in pages if page.title), "")
        return Page(title or header(message, "Subject"), tuple(one for page in pages for one in page.blocks))

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings, that about attachments last."""
        if not self._unread:
            return tuple(self._notes)
        names = ", ".join(one.name for one in self._unread[:LISTED])
        more = ", …" if len(self._unread) > LISTED else ""
        count = len(self._unread)
        what = "1 attachment is listed and not read" if count == 1 else f"{count} attachments are listed and not read"
        return (*self._notes, f"{what}: {names}{more}.")

    def _message(self, message: Message, depth: int) -> list[Block]:
        subject = header(message, "Subject")
        found = [block(BlockKind.HEADING, subject, min(1 + depth, 6))] if subject else []
        found += _headers(message)
        attachments: list[CarriedFile] = []
        found += self._part(message, depth, attachments)
        if attachments:
            self._unread += attachments
            found.append(block(BlockKind.HEADING, "Attachments", min(2 + depth, 6)))
            found += [block(BlockKind.LIST_ITEM, _line(one), 1, marker="-") for one in attachments]
        return found

    def _part(self, part: Message, depth: int, attachments: list[CarriedFile]) -> list[Block]:
        """Return the blocks of a part; files go to `attachments`."""
        kind = part.get_content_type()
        inner = children(part)
        if kind in ENCRYPTED:
            self._notes["The message is encrypted: its words cannot be read."] = None
        if depth >= MAX_DEPTH and inner:
            self._notes[f"Parts that are more than {MAX_DEPTH} deep in the message were not read."] = None
            return []
        if kind in MESSAGES and inner:
            return [found for one in inner for found in self._message(one, depth + 1)]
        if kind.startswith("message/") and inner:
            return [found for one in inner for found in self._report(one, depth + 1, attachments)]
        if kind == "multipart/alternative":
            return self._alternative(inner, depth + 1, attachments)
        if kind == "multipart/related":
            return self._related(inner, depth + 1, attachments)
        if inner:
            return [found for one in inner for found in self._part(one, depth + 1, attachments)]
        if kind.startswith("text/") and not is_attached(part):
            return list(self._page(part).blocks) if kind == "text/html" else self._plain(part)
        if kind.startswith("multipart/"):  # no line divides its parts
            return self._plain(part)
        attachments.append(_attachment(part))
        return []

    def _report(self, fields: Message, depth: int, attachments: list[CarriedFile]) -> list[Block]:
        """Return all fields of a report on a message (RFC 3464, 2.1; RFC 8098; RFC 5965), and what follows them."""
        found = _fields((name, shown(str(value))) for name, value in fields.raw_items())
        return found + self._part(fields, depth, attachments)

    def _alternative(self, parts: list[Message], depth: int, attachments: list[CarriedFile]) -> list[Block]:
        """Return the blocks of the last alternative that has words (RFC 2046, 5.1.4), calendars aside.

        The files of all alternatives are attachments, each once.
        """
        chosen: list[Block] = []
        files: list[CarriedFile] = []
        for part in reversed(parts):
            if chosen or part.get_content_type() == "text/calendar":
                files += [_attachment(one) for one in carried_files(part)]
                continue
            found = self._part(part, depth, files)
            if any(one.text.strip() for one in found):
                chosen = found
        attachments += dict.fromkeys(files)
        return chosen

    def _related(self, parts: list[Message], depth: int, attachments: list[CarriedFile]) -> list[Block]:
        """Return the blocks of a page; its pictures are not attachments, other files are."""
        found = []
        for number, part in enumerate(parts):
            is_picture = part.get_content_maintype() == "image" and part.get("Content-ID") is not None
            if number == 0 or not is_picture:
                found += self._part(part, depth, attachments)
        return found

    def _plain(self, part: Message) -> list[Block]:
        return list(paragraphs(self._text(part).replace("\r\n", "\n")))

    def _page(self, part: Message) -> Page:
        self._pages += 1
        page = self._read_page(self._text(part, is_page=True), self._pages)
        self._notes |= dict.fromkeys(page.notes)
        return page

    def _text(self, part: Message, is_page: bool = False) -> str:
        content, whole = content_of(part)
        if not whole:
            self._notes["A part of the message is damaged; some of it may be missing or unreadable."] = None
        charset = part.get_param("charset")
        labels = [charset if isinstance(charset, str) else None, declared.in_page(content) if is_page else None]
        found = read(content, labels)
        self._notes |= dict.fromkeys(found.notes)
        return found.text


def _headers(message: Message) -> list[Block]:
    """Return the headers that readers want to see."""
    return _fields((name, header(message, name)) for name in SHOWN)


def _fields(pairs: Iterable[tuple[str, str]]) -> list[Block]:
    """Return names with their values as lines of one paragraph."""
    spans: list[Span] = []
    for name, value in pairs:
        if value:
            spans += [Span("\n")] if spans else []
            spans += [Span(f"{name}:", bold=True), Span(f" {value}")]
    return [Block(BlockKind.PARAGRAPH, tuple(spans))] if spans else []


def _attachment(part: Message) -> CarriedFile:
    kind = part.get_content_type()
    return CarriedFile(file_name(part) or f"a part of the type {kind}", kind, len(content_of(part)[0]))


def _line(one: CarriedFile) -> str:
    return f"{one.name} ({one.media_type}, {one.size:,} bytes)"
